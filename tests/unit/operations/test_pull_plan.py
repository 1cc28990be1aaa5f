"""The plan of a pull: names, selections and refusals."""

from __future__ import annotations

import contextlib
import json
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

import pytest

from azext_acrartifact import errors
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import MANIFEST_LIMIT, Manifest
from azext_acrartifact.oci.mediatypes import FILE_MODE, FOLDER_SIZE, IMAGE_INDEX, IMAGE_MANIFEST, TITLE, UNPACK
from azext_acrartifact.operations.pull_plan import LISTED_TWICE, NO_TITLE, NOT_SELECTED, Plan, plan_pull
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
def test_an_unsafe_name_blocks_only_itself(title: str) -> None:
    with pytest.raises(errors.UnsafeContentError):
        plan(layer("good"), layer(title))
    assert names(plan(layer("good"), layer(title), include=["good"])) == ["good"]


@pytest.mark.parametrize("title", ["a/" * 64 + "b", "a" * 1025], ids=["deep", "long"])
def test_a_name_that_no_pattern_is_compared_with_is_refused(title: str) -> None:
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


@pytest.mark.parametrize(("one", "two"), [("a", "./a"), ("a", "a/b")])
def test_colliding_names_are_refused_unless_one_is_not_selected(one: str, two: str) -> None:
    with pytest.raises(errors.UnsafeContentError):
        plan(layer(one), layer(two))
    assert names(plan(layer("x/one"), layer(one), layer(two), include=["one"])) == ["x/one"]


def test_names_that_differ_by_case_are_for_the_disk_to_judge() -> None:
    assert [(pair.first, pair.second) for pair in plan(layer("a"), layer("A")).twins] == [("a", "A")]
    assert plan(layer("a"), layer("A"), include=["a"]).twins == ()


def test_a_file_that_is_listed_twice_is_pulled_once() -> None:
    found = plan(layer("a"), layer("b"), layer("a"))
    assert names(found) == ["a", "b"]
    assert [item.why for item in found.skipped] == [LISTED_TWICE]
    other = replace(layer("a"), digest=digest_of(b"other"))
    with pytest.raises(errors.UnsafeContentError, match="same name"):
        plan(layer("a"), other)


FOLDER = {UNPACK: "true"}


@pytest.mark.parametrize(
    ("selection", "searched"),
    [
        ({"include": ["*.md"]}, {"docs": True, "a.md": None}), ({"include": ["docs"]}, {"docs": True}),
        ({"include": ["/docs"]}, {"docs": False}), ({"include": ["docs/x"]}, {"docs": True}),
        ({"include": ["a.md"]}, {"a.md": None}), ({"include": ["/a.md"]}, {"a.md": None}),
        ({"include": ["a.md", "docs/"]}, {"docs": True, "a.md": None}), ({"exclude": ["docs"]}, {"a.md": None}),
        ({"exclude": ["*.log"]}, {"docs": True, "a.md": None}), ({"exclude": ["/a.md"]}, {"docs": False}),
    ],
)  # fmt: skip
def test_folders_are_searched_where_patterns_may_match_in_them(
    selection: dict[str, list[str]], searched: dict[str, bool | None]
) -> None:
    found = plan(layer("docs", **FOLDER), layer("a.md"), **selection)
    assert {str(item.name): bool(item.members) if item.folder else None for item in found.files} == searched


def test_a_pattern_to_include_that_matches_nothing_is_an_error() -> None:
    with pytest.raises(errors.InvalidInputError, match=r"No file matches --include \{a,b\}: braces"):
        plan(layer("a"), layer("b"), include=["a", "{a,b}"])


@pytest.mark.parametrize(
    ("stated", "bits"),
    [("0755", 0o111), ("755", 0o111), ("0744", 0o100), ("0644", 0), ("4755", 0), ("0o755", 0), ("9" * 5000, 0), ("", 0),
     ("755\n", 0), ("-755", 0), ("\u0667\u0665\u0665", 0)],
)  # fmt: skip
def test_only_plain_permission_bits_are_taken(stated: str, bits: int) -> None:
    (item,) = plan(layer("a", **{FILE_MODE: stated})).files
    assert item.bits == bits


@pytest.mark.parametrize(("stated", "size"), [("5", 5), ("0", 0), ("-1", 0), ("1e9", 0), ("9" * 5000, 0), ("", 0)])
def test_a_stated_size_is_a_plain_number(stated: str, size: int) -> None:
    (item,) = plan(layer("d", **FOLDER, **{FOLDER_SIZE: stated})).files
    assert item.stated_size == size


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
