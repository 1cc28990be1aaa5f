"""The plan of a pull: names, selections and refusals."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable

import pytest

from azext_acrartifact import errors
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import MANIFEST_LIMIT, Manifest
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST, TITLE, UNPACK
from azext_acrartifact.operations.pull_plan import NO_TITLE, NOT_SELECTED, Plan, plan_pull
from tests.support.descriptors import empty_descriptor

HERE = "myregistry.azurecr.io/a:1"


def layer(title: str | None, kind: str = "text/plain", **annotations: str) -> Descriptor:
    named = {TITLE: title} if title is not None else {}
    return Descriptor(kind, digest_of((title or "").encode(errors="surrogatepass")), 5, {**named, **annotations})


def plan(*layers: Descriptor, **selection: list[str]) -> Plan:
    manifest = Manifest(IMAGE_MANIFEST, b"", digest_of(b""), empty_descriptor(), layers)
    return plan_pull(manifest, Selection.of(**selection), HERE)


def names(found: Plan) -> list[str]:
    return [str(item.name) for item in found.files]


def test_every_layer_is_in_one_of_two_lists() -> None:
    found = plan(layer("a"), layer("d/b", "image/png"), layer(None), layer("c", **{UNPACK: "true"}))
    assert names(found) == ["a", "d/b", "c"]
    assert [item.folder for item in found.files] == [False, False, True]
    assert [item.why for item in found.skipped] == [NO_TITLE]


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        ({"media_types": ["text/plain"]}, ["a.txt"]), ({"media_types": ["image/*"]}, ["d/b.png", "d/c.png"]),
        ({"include": ["d/**"]}, ["d/b.png", "d/c.png"]), ({"exclude": ["*.txt"]}, ["d/b.png", "d/c.png"]),
        ({"include": ["d/**"], "exclude": ["d/c.png"]}, ["d/b.png"]),
        ({"include": ["a.txt"], "media_types": ["text/plain"]}, ["a.txt"]),
    ],
)  # fmt: skip
def test_only_selected_files_are_planned(selection: dict[str, list[str]], expected: list[str]) -> None:
    found = plan(layer("a.txt"), layer("d/b.png", "image/png"), layer("d/c.png", "image/png"), **selection)
    assert names(found) == expected
    assert {item.why for item in found.skipped} == {NOT_SELECTED}
    assert len(found.files) + len(found.skipped) == 3


def test_an_empty_selection_is_an_error_that_names_the_files() -> None:
    with pytest.raises(errors.InvalidInputError) as caught:
        plan(*[layer(f"{n}.txt") for n in range(7)], media_types=["image/png"])
    assert "0.txt (text/plain)" in caught.value.why
    assert "and 2 more" in caught.value.why


def test_an_empty_object_with_a_name_is_a_file() -> None:
    # Only without a title does the empty config's type mark a placeholder: a user's own `{}` may have that type.
    assert names(plan(empty_descriptor(), layer("a.json", empty_descriptor().media_type))) == ["a.json"]


def test_an_artifact_without_files_has_an_empty_plan() -> None:
    assert plan(empty_descriptor()) == Plan([], [])
    assert plan() == Plan([], [])


def test_an_index_is_refused_with_its_platforms() -> None:
    children = (
        Descriptor(IMAGE_MANIFEST, digest_of(b"1"), 1, platform={"os": "linux", "architecture": "arm64"}),
        Descriptor(IMAGE_MANIFEST, digest_of(b"2"), 1),
        Descriptor(IMAGE_MANIFEST, digest_of(b"3"), 1, platform={"x": "y"}),
    )
    with pytest.raises(errors.InvalidManifestError, match="index") as caught:
        plan_pull(Manifest(IMAGE_INDEX, b"", digest_of(b""), manifests=children), Selection(), HERE)
    assert f"linux/arm64 {digest_of(b'1')}" in caught.value.why


@pytest.mark.parametrize(
    "title", ["../x", "/etc/passwd", "C:\\x", "a/../../x", "con", "\ud800", "a\x1bb", ".", "a//b", "a\n"]
)
def test_an_unsafe_name_is_refused_even_if_not_selected(title: str) -> None:
    with pytest.raises(errors.UnsafeContentError):
        plan(layer("good"), layer(title), include=["good"])


def test_a_folder_has_an_annotation_or_a_slash() -> None:
    found = plan(layer("d/"), layer("e", **{UNPACK: "true"}), layer("f", **{UNPACK: "false"}), layer("g/h/"))
    assert [(str(item.name), item.folder) for item in found.files] == [
        ("d", True), ("e", True), ("f", False), ("g/h", True),
    ]  # fmt: skip
    assert names(plan(layer(".", **{UNPACK: "true"}))) == ["."]
    with pytest.raises(errors.UnsafeContentError):
        plan(layer("."))


@pytest.mark.parametrize(("one", "two"), [("a", "a"), ("a", "A"), ("a", "a/b"), ("\u00e9", "e\u0301")])
def test_colliding_names_are_refused(one: str, two: str) -> None:
    with pytest.raises(errors.UnsafeContentError):
        plan(layer(one), layer(two), include=[one])


def test_ten_thousand_layers_are_planned_within_seconds() -> None:
    layers = [layer(f"{n}.{'txt' if n % 2 else 'png'}") for n in range(10_000)]
    began = time.process_time()
    found = plan(*layers, include=["*.txt"])
    assert (len(found.files), len(found.skipped)) == (5000, 5000)
    assert time.process_time() - began < 5


@pytest.mark.parametrize(
    "title",
    [
        lambda number: f"{number:x}",
        lambda number: "/".join(["ab"] * 63 + [f"{number:x}"]),
        lambda number: "/".join(f"{number * 4 + depth:x}" for depth in range(4)),
        lambda number: "/".join(f"{number * 63 + depth:x}" for depth in range(63)),
    ],
    ids=["flat", "deep", "distinct", "too many folders"],
)
def test_a_plan_takes_little_memory(title: Callable[[int], str]) -> None:
    digest, room, layers = digest_of(b""), MANIFEST_LIMIT, []
    while room > 0:
        layers.append(Descriptor("a/b", digest, 1, {TITLE: title(len(layers))}))
        room -= len(json.dumps(layers[-1].to_json(), separators=(",", ":")))
    tracemalloc.start()
    with contextlib.suppress(errors.UnsafeContentError):
        plan(*layers)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40 << 20  # 64 MiB are allowed
