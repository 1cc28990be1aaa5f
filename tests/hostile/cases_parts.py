"""Files in parts: layers that make no file, and bytes that are not those of the file (R11, R12, R13, R2)."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.case import REFUSES, Case, Right, either
from tests.hostile.cases_disk import linked, planted
from tests.hostile.names import STORAGE
from tests.hostile.site import TITLE, Json, Site, digest_of, manifest, response, rule, titled, variant

CONTENT = b"0123456789abcdef" * 64
SIZE = 400
MARK = "io.acrartifact.part."
UNPACK = "io.deis.oras.content.unpack"
Change = Callable[[list[Json]], list[Json]]


def layers_of(made: Site, content: bytes = CONTENT, name: str = "a.img", size: int = SIZE) -> list[Json]:
    """Add the parts of *content* to *made*; return their descriptors."""
    offsets = range(0, len(content), size)
    marks = {f"{MARK}file": name, f"{MARK}size": str(len(content)), f"{MARK}digest": digest_of(content)}
    return [
        made.add(
            content[offset : offset + size],
            annotations={
                TITLE: f"{name}.part-{number:05}-of-{len(offsets):05}", f"{MARK}offset": str(offset), **marks,
            },
        )
        for number, offset in enumerate(offsets, 1)
    ]  # fmt: skip


@variant
def in_parts(made: Site, change: Change = lambda layers: layers, content: bytes = CONTENT) -> None:
    """Make an artifact of one file in parts, whose layers are changed."""
    made.put(manifest(change(layers_of(made, content))))


def marked(number: int | None = None, **marks: str) -> Change:
    """Return a change of our annotations in layer *number*, or in all."""
    changed = {f"{MARK}{key}": value for key, value in marks.items()}
    return annotated(number, **changed)


def annotated(number: int | None = None, **changed: str) -> Change:
    """Return a change of annotations in layer *number*, or in all."""
    return lambda layers: [
        {**layer, "annotations": {**layer["annotations"], **changed}} if number in (None, at) else layer
        for at, layer in enumerate(layers)
    ]


def fields(number: int, **changed: Any) -> Change:
    """Return a change of the descriptor of layer *number*."""
    return lambda layers: [{**layer, **changed} if number == at else layer for at, layer in enumerate(layers)]


@variant
def two(made: Site, second: str = "a.img") -> None:
    """Make two files in parts."""
    made.put(manifest([*layers_of(made), *layers_of(made, CONTENT[::-1], second)]))


@variant
def beside(made: Site, name: str) -> None:
    """Make a file in parts beside an ordinary one."""
    made.put(manifest([*layers_of(made), made.add(b"other", **titled(name))]))


@variant
def many(made: Site, count: int) -> None:
    """Make a file of *count* parts, none of which exists."""
    marks = {f"{MARK}file": "a", f"{MARK}size": str(count), f"{MARK}digest": digest_of(b"")}
    made.put(
        manifest(
            [
                {
                    "mediaType": "t/x", "digest": f"sha256:{number:064x}", "size": 1,
                    "annotations": {TITLE: f"a.part-{number:05}-of-{count:05}", f"{MARK}offset": str(number - 1), **marks},
                }
                for number in range(1, count + 1)
            ]
        )
    )  # fmt: skip


def served(play: Callable[[Site, Any], Any]) -> Callable[[], Site]:
    """Return a maker of a good file in parts whose second blob is served as *play* does."""

    def make() -> Site:
        made = in_parts()()
        digest = digest_of(CONTENT[SIZE : 2 * SIZE])
        made.rules.append(rule(f"GET .*/{digest}", play))
        return made

    return make


def swapped() -> Site:
    """Return a registry that serves the right whole, but by parts whose digests are those of other parts."""
    made = in_parts()()
    parts = [CONTENT[offset : offset + SIZE] for offset in range(0, len(CONTENT), SIZE)]
    other = bytes(SIZE)
    made.blobs[digest_of(other)] = parts[0]
    layers = layers_of(made)
    made.put(manifest([{**layers[0], "digest": digest_of(other)}, *layers[1:]]))
    return made


HUGE = str(2**63)
LAYOUTS: dict[str, tuple[str, Change]] = {
    "first-missing": ("the first part is missing", lambda layers: layers[1:]),
    "middle-missing": ("a part in the middle is missing", lambda layers: [layers[0], *layers[2:]]),
    "last-missing": ("the last part is missing", lambda layers: layers[:-1]),
    "repeated": ("a part twice", lambda layers: [*layers[:2], *layers[1:]]),
    "order": ("parts in another order", lambda layers: layers[::-1]),
    "gap": ("a gap between two parts", marked(1, offset=str(SIZE + 1))),
    "overlap": ("two parts overlap", marked(1, offset=str(SIZE - 1))),
    "beyond": ("an offset beyond the size", marked(2, offset="100000")),
    "offset-huge": ("an offset of 2^63", marked(2, offset=HUGE)),
    "offset-negative": ("a negative offset", marked(1, offset="-400")),
    "offset-digits": ("an offset of 5,000 digits", marked(1, offset="4" * 5000)),
    "size-huge": ("a size of 2^63", marked(size=HUGE)),
    "size-less": ("the parts have more bytes than the file", marked(size="1000")),
    "size-more": ("the parts have fewer bytes than the file", marked(size="1000000000")),
    "size-differs": ("two sizes of one file", marked(1, size="1025")),
    "digest-differs": ("two digests of one file", marked(1, digest=digest_of(b"x"))),
    "digest-none": ("a digest that is none", marked(digest="sha256:0")),
    "digest-path": ("a digest that is a path", marked(digest="../../outside/secret.txt")),
    "types": ("two media types", fields(1, mediaType="x/other")),
    "empty": ("an empty part", fields(1, size=0)),
    "folder": ("a part that is a folder", annotated(1, **{UNPACK: "true"})),
    "folders": ("all parts are folders", annotated(**{UNPACK: "true"})),
    "folder-name": ("a file whose name ends as that of a folder", marked(file="a/")),
    "untitled": ("a part without title", annotated(1, **{TITLE: ""})),
    "title-other": ("a part with the title of another file", annotated(1, **{TITLE: "b.img.part-00002-of-00003"})),
    "title-path": ("a part whose title is a path outside", annotated(1, **{TITLE: "../outside/x.part-00002-of-00003"})),
    "marks-alone": ("an offset without a file", marked(1, file="")),
    "overlap-whole": ("a part over the whole one before it", marked(1, offset="0")),
    "overlap-adds-up": (
        "two parts overlap, and their sizes add up",
        lambda layers: marked(2, offset=str(SIZE))(marked(1, offset="0")(layers)),
    ),
    "offset-none": ("a part without an offset", marked(1, offset="")),
    "offset-sign": ("an offset with a sign", marked(1, offset=f"+{SIZE}")),
    "offset-zeros": ("an offset with zeros before it", marked(1, offset=f"0{SIZE}")),
    "offset-arabic": ("an offset in Arabic digits", marked(1, offset="\u0664\u0660\u0660")),
    "sum-wraps": (
        "sizes of parts that add up to 2^64 and more",
        lambda layers: [{**layer, "size": 2**63 - 1} for layer in layers],
    ),
    "title-twice": ("two parts of one title", annotated(1, **{TITLE: "a.img.part-00001-of-00003"})),
    "title-digits": ("a number of fewer digits", annotated(1, **{TITLE: "a.img.part-2-of-3"})),
    "title-count": ("parts of two counts", annotated(1, **{TITLE: "a.img.part-00002-of-00004"})),
    "unpack-false": ("a part that is said to be no folder", annotated(1, **{UNPACK: "false"})),
    "unpack-digest": (
        "a part with the digest of a folder",
        annotated(1, **{"io.deis.oras.content.digest": digest_of(b"x")}),
    ),
}
NAMES = {
    "outside": "../outside/new.txt", "absolute": "/tmp/new.txt", "device": "NUL", "ansi": "a\x1b[2Jb", "note": ".acrartifact-x.part",
}  # fmt: skip


def _renamed(name: str) -> Callable[[], Site]:
    @variant
    def make(made: Site) -> None:
        made.put(manifest(layers_of(made, name=name)))

    return make()


WHOLE = Right({"a.img": CONTENT})
OLDER = CONTENT[:SIZE] + b"?" + CONTENT[SIZE + 1 :]
"""The older file, which has two of the three parts."""
OLDER_FILES: dict[str, tuple[str, Callable[[Path, Path], None], Right]] = {
    "regular": ("the older file has two parts", lambda out, outside: _write(out / "a.img", OLDER), WHOLE),
    "link": ("the older file is a link out", linked("a.img", "../../outside/secret.txt"), REFUSES),
    "link-right": (
        "the older file is a link out to the same parts",
        lambda out, outside: _linked(out, outside, OLDER),
        REFUSES,
    ),
    "link-itself": ("the older file is a link to itself", linked("a.img", "a.img"), REFUSES),
    "fifo": ("the older file is a FIFO", lambda out, outside: os.mkfifo(out / "a.img"), REFUSES),
    "folder": ("the older file is a folder", lambda out, outside: (out / "a.img").mkdir(), REFUSES),
    "hard-link": (
        "the older file has a second name outside",
        lambda out, outside: _linked(out, outside, OLDER, hard=True),
        WHOLE,
    ),
    "unreadable": ("the older file may not be read", lambda out, outside: _write(out / "a.img", OLDER, 0), WHOLE),
    "hole": ("the older file is a hole of 8 MiB", lambda out, outside: _hole(out / "a.img"), WHOLE),
}


def _write(path: Path, content: bytes, mode: int = 0o644) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def _linked(out: Path, outside: Path, content: bytes, *, hard: bool = False) -> None:
    (outside / "older.img").write_bytes(content)
    if hard:
        (out / "a.img").hardlink_to(outside / "older.img")
    else:
        (out / "a.img").symlink_to("../../outside/older.img")


def _hole(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(8 << 20)


@variant
def mixed(made: Site) -> None:
    """Make two files whose parts alternate."""
    pairs = zip(layers_of(made), layers_of(made, CONTENT[::-1], "b.img"), strict=True)
    made.put(manifest([layer for pair in pairs for layer in pair]))


CASES = [
    *(Case(f"parts-{name}", "R13", does, in_parts(change), ours_only=True) for name, (does, change) in LAYOUTS.items()),
    *(
        Case(f"parts-{command}-gap", "R13", "a gap between two parts", in_parts(marked(1, offset="401")), command=command, ours_only=True)
        for command in ("show", "check")
    ),
    *(Case(f"parts-name-{name}", "R1", f"a file in parts named {title!r}", _renamed(title), ours_only=True) for name, title in NAMES.items()),
    Case("parts-two", "R13", "two files of one name", two(), ours_only=True),
    Case("parts-two-case", "R1", "two files whose names differ in case", two("A.IMG"), either(**{"a.img": CONTENT, "A.IMG": CONTENT[::-1]}), ours_only=True),
    Case("parts-beside", "R1", "an ordinary file of the same name", beside("a.img"), ours_only=True),
    Case("parts-below", "R1", "an ordinary file below it", beside("a.img/b"), ours_only=True),
    Case("parts-mark-unknown", "R13", "an annotation of a later version", in_parts(annotated(1, **{f"{MARK}compression": "zstd"})), either(**{"a.img": CONTENT}), ours_only=True),
    Case("parts-beside-part", "R13", "an ordinary file with the title of a part", beside("a.img.part-00002-of-00003"), either(**{"a.img": CONTENT, "a.img.part-00002-of-00003": b"other"}), ours_only=True),
    Case("parts-of-parts", "R13", "a file in parts that is named as a part of another", two("a.img.part-00001-of-00003"), either(**{"a.img": CONTENT, "a.img.part-00001-of-00003": CONTENT[::-1]}), ours_only=True),
    Case("parts-mixed", "R13", "the parts of two files in turn", mixed(), either(**{"a.img": CONTENT, "b.img": CONTENT[::-1]}), ours_only=True),
    *(Case(f"parts-older-{name}", "R2", does, in_parts(), right, before=planted(plant), ours_only=True) for name, (does, plant, right) in OLDER_FILES.items()),
    Case("parts-8001", "R11", "8,001 parts", many(8001), ours_only=True),
    Case("parts-sum", "R11", "a part of 2^63 - 1 bytes", in_parts(fields(1, size=2**63 - 1)), ours_only=True),
    Case("parts-large", "R19", "a file of 2^62 bytes in one part", lambda: _vast(), ours_only=True),
    Case("parts-whole-wrong", "R12", "the digest of the whole is that of other bytes", in_parts(marked(digest=digest_of(b"other"))), ours_only=True),
    Case("parts-part-wrong", "R12", "the whole is right, but a part has another digest", swapped, ours_only=True),
    Case("parts-corrupt", "R12", "a part with other bytes", served(lambda made, sent: response(200, bytes(SIZE))), ours_only=True),
    Case("parts-short", "R12", "a part that ends early", served(lambda made, sent: response(200, bytes(SIZE - 1))), ours_only=True),
    Case("parts-long", "R12", "a part that is longer than it says", served(lambda made, sent: response(200, CONTENT[SIZE:])), Right({"a.img": CONTENT}, or_refuses=True), ours_only=True),
    Case("parts-lost", "R2", "a part that the registry has lost", served(lambda made, sent: response(404)), ours_only=True),
    Case("parts-zeros", "R2", "a part that is lost, of a file of zeros", lambda: _lost_zeros(), ours_only=True),
    Case("ok-parts", "R13", "a good file in parts", in_parts(), WHOLE, ours_only=True),
    Case("ok-parts-zeros", "R13", "a file of zeros in parts", in_parts(content=bytes(1000)), Right({"a.img": bytes(1000)}), ours_only=True),
    Case("ok-parts-no-ranges", "R17", "a storage that ignores ranges", lambda: _whole_blobs(), WHOLE, ours_only=True),
]  # fmt: skip


def _vast() -> Site:
    made = in_parts()()
    marks = {f"{MARK}file": "a", f"{MARK}size": str(2**62), f"{MARK}digest": digest_of(b""), f"{MARK}offset": "0"}
    layer = {**made.add(b"x"), "size": 2**62, "annotations": {TITLE: "a.part-00001-of-00001", **marks}}
    made.put(manifest([layer]))
    return made


def _lost_zeros() -> Site:
    made = in_parts(content=bytes(1000))()
    made.blobs = {b: c for b, c in made.blobs.items() if not c.startswith(b"\0")}
    return made


def _whole_blobs() -> Site:
    made = in_parts()()
    made.rules.append(rule(f"GET https://{STORAGE}/|GET .*/blobs/", lambda site, sent: _whole(site, sent)))
    return made


def _whole(made: Site, sent: Any) -> Any:
    if "authorization" not in sent.headers and sent.host != STORAGE:
        return None
    content = made.blobs.get(sent.path.rpartition("/")[2])
    return None if content is None else response(200, content)
