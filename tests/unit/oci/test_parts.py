"""Files in parts: which layers make a file, and which are refused."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import LARGEST_SIZE, Descriptor
from azext_acrartifact.oci.digest import Digest, digest_of
from azext_acrartifact.oci.mediatypes import CONTENT_DIGEST, TITLE, UNPACK
from azext_acrartifact.oci.parts import (
    MOST_PARTS,
    PART_DIGEST,
    PART_FILE,
    PART_OFFSET,
    PART_SIZE,
    PartsVerifier,
    files_in,
    part_annotations,
    part_title,
)

CONTENT = b"0123456789"
Layers = list[Descriptor]


def layers_of(content: bytes = CONTENT, size: int = 4, name: str = "a/b.img") -> Layers:
    whole = Descriptor("x/y", digest_of(content), len(content), {TITLE: name, "color": "red"})
    offsets = range(0, len(content), size)
    return [
        Descriptor(
            "x/y",
            digest_of(content[offset : offset + size]),
            len(content[offset : offset + size]),
            part_annotations(whole, number, len(offsets), offset),
        )
        for number, offset in enumerate(offsets, 1)
    ]


def test_parts_make_one_file_among_others() -> None:
    other, parts = Descriptor("x/z", digest_of(b"z"), 1, {TITLE: "z"}), layers_of()
    files = files_in([parts[0], other, *parts[1:]])
    assert [file.blob.title for file in files] == ["a/b.img", "z"]
    assert files[0].blob == Descriptor("x/y", digest_of(CONTENT), 10, {TITLE: "a/b.img", "color": "red"})
    assert [(part.offset, part.end) for part in files[0].parts] == [(0, 4), (4, 8), (8, 10)]
    assert (files[1].blob, files[1].parts) == (other, ())


def test_titles_are_in_the_order_in_which_cat_joins_them() -> None:
    titles = [part_title("f", number, MOST_PARTS) for number in (1, 2, 10, 100, MOST_PARTS)]
    assert titles[0] == "f.part-00001-of-08000"
    assert titles == sorted(titles)


def test_the_same_digest_may_be_repeated() -> None:
    assert [part.offset for part in files_in(layers_of(b"0000" * 3))[0].parts] == [0, 4, 8]


def marked(layer: Descriptor, **changes: str | None) -> Descriptor:
    """Return *layer* with other annotations: the keys of *changes* are `title` or the ends of our own."""
    keys = {"title": TITLE, "file": PART_FILE, "offset": PART_OFFSET, "size": PART_SIZE, "digest": PART_DIGEST}
    keys |= {"unpack": UNPACK, "content": CONTENT_DIGEST}
    annotations = {**layer.annotations, **{keys[key]: value for key, value in changes.items()}}
    return replace(layer, annotations={key: value for key, value in annotations.items() if value is not None})


def on(number: int, change: Callable[[Descriptor], Descriptor]) -> Callable[[Layers], Layers]:
    return lambda layers: [change(layer) if at == number else layer for at, layer in enumerate(layers)]


def on_all(**changes: str) -> Callable[[Layers], Layers]:
    return lambda layers: [marked(layer, **changes) for layer in layers]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        pytest.param(lambda layers: layers[1:], "missing, repeated", id="first-missing"),
        pytest.param(lambda layers: layers[:-1], "missing, repeated", id="last-missing"),
        pytest.param(lambda layers: [layers[0], layers[2]], "missing, repeated", id="middle-missing"),
        pytest.param(lambda layers: [*layers, layers[2]], "missing, repeated", id="repeated"),
        pytest.param(lambda layers: layers[::-1], "missing, repeated", id="order"),
        pytest.param(lambda layers: [*layers, *layers_of(b"another one")], "another file of the same name", id="two"),
        pytest.param(on(1, lambda layer: marked(layer, offset="5")), "leaves a gap", id="gap"),
        pytest.param(on(1, lambda layer: marked(layer, offset="3")), "overlaps", id="overlap"),
        pytest.param(on(2, lambda layer: marked(layer, offset="11")), "leaves a gap", id="beyond"),
        pytest.param(on(2, lambda layer: marked(layer, offset=str(2**63))), "not a number of bytes", id="huge-offset"),
        pytest.param(on(2, lambda layer: replace(layer, size=3)), "the parts have 11 bytes, and the file 10", id="sum"),
        pytest.param(on(1, lambda layer: replace(layer, size=0)), "is empty", id="empty"),
        pytest.param(on(1, lambda layer: replace(layer, media_type="a/b")), "one media type", id="types"),
        pytest.param(on(1, lambda layer: marked(layer, unpack="true")), "folder", id="unpack"),
        pytest.param(on(1, lambda layer: marked(layer, content=digest_of(b""))), "folder", id="content-digest"),
        pytest.param(on(0, lambda layer: marked(layer, file=None)), "part.file is missing", id="no-file"),
        pytest.param(on(0, lambda layer: marked(layer, title=None)), "missing, repeated", id="no-title"),
        pytest.param(on(1, lambda layer: marked(layer, title="b.img.part-00002-of-00003")), "should be", id="title"),
        pytest.param(on(1, lambda layer: marked(layer, size="12")), "another file of the same name", id="other-size"),
        pytest.param(on(1, lambda layer: marked(layer, digest=digest_of(b""))), "another file", id="other-digest"),
        *(
            pytest.param(on_all(size=size), "not a number of bytes", id=f"size-{size[:9]}")
            for size in ("-1", "+10", "010", "1e1", " 10", "10\n", "٣", "9" * 5000, str(2**63), "0x0a", "1_0")
        ),
        pytest.param(on_all(digest="sha256:abc"), "is not a digest", id="digest-short"),
        pytest.param(on_all(digest="md5:" + "0" * 32), "is not a digest", id="digest-md5"),
    ],
)  # fmt: skip
def test_parts_that_make_no_file_are_refused(change: Callable[[Layers], Layers], why: str) -> None:
    with pytest.raises(errors.InvalidManifestError, match=why):
        files_in(change(layers_of()))


def test_a_folder_in_parts_is_refused() -> None:
    with pytest.raises(errors.InvalidManifestError, match="folder"):
        files_in(layers_of(name="a/"))


def test_the_number_of_parts_is_limited_before_any_is_looked_at() -> None:
    assert len(files_in(layers_of(bytes(MOST_PARTS), 1))[0].parts) == MOST_PARTS
    begin = time.monotonic()
    with pytest.raises(errors.InvalidManifestError, match="8001 parts"):
        files_in(layers_of(bytes(MOST_PARTS + 1), 1))
    assert time.monotonic() - begin < 5


def test_the_sum_of_all_files_is_limited() -> None:
    def one(name: str, size: int) -> Layers:
        whole = Descriptor("x/y", Digest("sha256:" + "0" * 64), size, {TITLE: name})
        return [Descriptor("x/y", whole.digest, size, part_annotations(whole, 1, 1, 0))]

    assert len(files_in(one("a", LARGEST_SIZE))) == 1
    assert len(files_in([*one("a", LARGEST_SIZE - 1), *one("b", 1)])) == 2
    with pytest.raises(errors.InvalidManifestError, match="too large"):
        files_in([*one("a", LARGEST_SIZE), *one("b", 1)])


def verifier(content: bytes = CONTENT) -> PartsVerifier:
    file = files_in(layers_of(content))[0]
    return PartsVerifier(file.blob, file.parts)


@pytest.mark.parametrize("step", [1, 3, 4, 10])
def test_the_parts_and_the_whole_are_verified(step: int) -> None:
    right = verifier()
    for offset in range(0, len(CONTENT), step):
        right.update(CONTENT[offset : offset + step])
    right.finish()


def test_a_part_with_other_bytes_is_named_even_if_the_whole_is_right() -> None:
    layers = layers_of()
    layers[1] = replace(layers[1], digest=digest_of(b"evil"))
    file = files_in(layers)[0]
    wrong = PartsVerifier(file.blob, file.parts)
    wrong.update(CONTENT)
    with pytest.raises(errors.DigestMismatchError, match="part-00002-of-00003"):
        wrong.finish()


@pytest.mark.parametrize("content", [CONTENT[:9], CONTENT[:9] + b"x", b""])
def test_wrong_or_missing_bytes_are_noticed(content: bytes) -> None:
    wrong = verifier()
    wrong.update(content)
    with pytest.raises(errors.DigestMismatchError):
        wrong.finish()


def test_a_whole_that_its_parts_do_not_give_is_noticed() -> None:
    file = files_in([marked(layer, digest=digest_of(b"other")) for layer in layers_of()])[0]
    wrong = PartsVerifier(file.blob, file.parts)
    wrong.update(CONTENT)
    with pytest.raises(errors.DigestMismatchError, match="does not match its digest"):
        wrong.finish()
