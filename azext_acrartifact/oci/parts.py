"""Large files in parts: each part is a layer, and annotations say which file it belongs to, and where.

The title of a part is `NAME.part-00001-of-00064`, so that other clients pull parts that `cat` joins. The layers of a
file are in the order of its bytes. Everything is checked before a byte is fetched: a file whose parts leave a gap is
refused, and never filled up with zeros.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..errors import DigestMismatchError, InvalidManifestError
from .descriptor import LARGEST_SIZE, Descriptor
from .digest import Digest, Verifier, is_digest
from .mediatypes import CONTENT_DIGEST, TITLE, UNPACK

MOST_PARTS = 8000
"""Parts in one artifact. A descriptor of 500 bytes for each of them fits into a manifest of 4 MiB."""
_MARK = "io.acrartifact.part."
PART_FILE = f"{_MARK}file"
PART_OFFSET = f"{_MARK}offset"
PART_SIZE = f"{_MARK}size"
PART_DIGEST = f"{_MARK}digest"
_OF_PARTS = frozenset({PART_FILE, PART_OFFSET, PART_SIZE, PART_DIGEST})
_NUMBER = re.compile(r"0|[1-9][0-9]{0,18}")
_DIGITS = 5


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a file: its *blob*, and the *offset* of its first byte in the file."""

    blob: Descriptor
    offset: int

    @property
    def end(self) -> int:
        """The offset after its last byte."""
        return self.offset + self.blob.size


@dataclass(frozen=True, slots=True)
class LayeredFile:
    """One file of an artifact. *blob* describes the whole of it; it is stored as *parts*, or as that very blob if there
    are none."""

    blob: Descriptor
    parts: tuple[Part, ...] = ()


def part_title(name: str, number: int, count: int) -> str:
    """Return the title of part *number*, from 1 on, of *count* parts of the file *name*."""
    return f"{name}.part-{number:0{_DIGITS}}-of-{count:0{_DIGITS}}"


def part_annotations(whole: Descriptor, number: int, count: int, offset: int) -> dict[str, str]:
    """Return the annotations of part *number* of *count*, which begins at *offset* of the file *whole*."""
    name = whole.title or ""
    return {
        **whole.annotations,
        TITLE: part_title(name, number, count),
        PART_FILE: name,
        PART_OFFSET: str(offset),
        PART_SIZE: str(whole.size),
        PART_DIGEST: whole.digest,
    }


def is_part(layer: Descriptor) -> bool:
    """Return whether *layer* is marked as a part of a file."""
    return any(key.startswith(_MARK) for key in layer.annotations)


def files_in(layers: Iterable[Descriptor]) -> list[LayeredFile]:
    """Return the files that *layers* make, each where its first layer is. Raises `InvalidManifestError` unless all
    parts of each file are there, in order, and fit together."""
    found: dict[str, list[Descriptor]] = {}
    files: list[str | Descriptor] = []
    for layer in layers:
        if not is_part(layer):
            files.append(layer)
            continue
        name = _text(layer, PART_FILE)
        if name not in found:
            files.append(name)
        found.setdefault(name, []).append(layer)
    if (count := sum(map(len, found.values()))) > MOST_PARTS:
        raise InvalidManifestError("The artifact has too many parts", why=f"{count} parts; the limit is {MOST_PARTS}")
    wholes = {name: _joined(name, parts) for name, parts in found.items()}
    if (total := sum(whole.blob.size for whole in wholes.values())) > LARGEST_SIZE:
        raise InvalidManifestError("The files in parts are too large", why=f"{total} bytes in all")
    return [wholes[one] if isinstance(one, str) else LayeredFile(one) for one in files]


def _joined(name: str, layers: Sequence[Descriptor]) -> LayeredFile:
    """Return the file *name* that *layers* make."""
    first = layers[0]
    size, digest = _number(first, PART_SIZE), _text(first, PART_DIGEST)
    if not is_digest(digest):
        raise _wrong(first, f"{PART_DIGEST} is not a digest")
    for layer in layers:
        if _number(layer, PART_SIZE) != size or _text(layer, PART_DIGEST) != digest:
            raise _wrong(layer, "it is a part of another file of the same name")
    parts: list[Part] = []
    offset = 0
    for number, layer in enumerate(layers, 1):
        if layer.title != (expected := part_title(name, number, len(layers))):
            raise _wrong(layer, f"a part is missing, repeated or not in order: {expected} should be here")
        if layer.media_type != first.media_type:
            raise _wrong(layer, "the parts of a file have one media type")
        if UNPACK in layer.annotations or CONTENT_DIGEST in layer.annotations or name.endswith("/"):
            raise _wrong(layer, "a folder cannot be in parts")
        if (begin := _number(layer, PART_OFFSET)) != offset:
            kind = "leaves a gap" if begin > offset else "overlaps the part before it"
            raise _wrong(layer, f"it {kind}: it begins at {begin} instead of {offset}")
        if not layer.size:
            raise _wrong(layer, "it is empty")
        parts.append(Part(layer, offset))
        offset += layer.size
    if offset != size:
        raise _wrong(layers[-1], f"the parts have {offset} bytes, and the file {size}")
    annotations = {key: value for key, value in first.annotations.items() if key not in _OF_PARTS}
    whole = Descriptor(first.media_type, Digest(digest), size, {**annotations, TITLE: name})
    return LayeredFile(whole, tuple(parts))


def _text(layer: Descriptor, key: str) -> str:
    value = layer.annotations.get(key)
    if not value:
        raise _wrong(layer, f"the annotation {key} is missing")
    return value


def _number(layer: Descriptor, key: str) -> int:
    text = _text(layer, key)
    if not _NUMBER.fullmatch(text) or int(text) > LARGEST_SIZE:
        raise _wrong(layer, f"{key} is not a number of bytes: {text[:40]!r}")
    return int(text)


def _wrong(layer: Descriptor, why: str) -> InvalidManifestError:
    return InvalidManifestError(
        "The parts of a file do not fit together",
        where=layer.name,
        why=why,
        hint="Nothing was written. Push the file again. The manifest as it is: az acr artifact show --raw.",
    )


class PartsVerifier(Verifier):
    """Hashes the bytes of a file in parts in their order: every part by its own digest, and the whole."""

    def __init__(self, whole: Descriptor, parts: Sequence[Part]) -> None:
        super().__init__(whole.digest, whole.size)
        self._parts = iter(parts)
        self._wrong: list[Part] = []
        self._error: DigestMismatchError | None = None
        self._begin()

    def _begin(self) -> None:
        part = next(self._parts, None)
        self._current = (part, Verifier(part.blob.digest, part.blob.size)) if part else None

    def update(self, block: bytes | memoryview) -> None:
        """Hash *block*, which may end one part and begin others. `finish` reports a wrong part, as it does for a wrong
        whole."""
        super().update(block)
        rest = memoryview(block)
        while self._current and rest:
            part, verifier = self._current
            taken = rest[: part.blob.size - verifier.seen]
            verifier.update(taken)
            rest = rest[len(taken) :]
            if verifier.seen == part.blob.size:
                self._end(part, verifier)
                self._begin()

    def _end(self, part: Part, verifier: Verifier) -> None:
        try:
            verifier.finish()
        except DigestMismatchError as error:
            self._wrong.append(part)
            wrong = DigestMismatchError("A part does not match its digest", where=part.blob.name, why=error.why)
            self._error = self._error or wrong

    @property
    def wrong(self) -> Sequence[tuple[int, int]]:
        """The ranges of the wrong parts. None if all parts are right: then they are not those of the whole, and no
        download changes that."""
        return [(part.offset, part.end) for part in self._wrong]

    def finish(self) -> None:
        """Raise `DigestMismatchError`, which names the first wrong part, unless all parts and the whole are right."""
        if self._error is not None:
            raise self._error
        super().finish()
