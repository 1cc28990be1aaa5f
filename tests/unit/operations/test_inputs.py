"""What is typed on the command line, as an order: files, annotations, versions of the specification."""

from __future__ import annotations

import contextlib
import json
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact import errors
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.operations.annotations import Annotations, collect_annotations
from azext_acrartifact.operations.file_spec import FileSpec, parse_file_spec, title_of
from azext_acrartifact.operations.inputs import Opening, open_inputs
from azext_acrartifact.operations.manifest_builder import (
    compose,
    config_shipment,
    empty_shipment,
    placeholders,
    spec_version,
)

TYPE = "application/vnd.unknown.layer.v1+txt"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


class TestFileSpec:
    @pytest.mark.parametrize(
        ("text", "spec"),
        [
            ("artifact.txt", FileSpec("artifact.txt")),
            (f"./artifact.txt:{TYPE}", FileSpec("./artifact.txt", TYPE)),
            (f"/dev/null:{TYPE}", FileSpec("/dev/null", TYPE)),
            (f"NUL:{TYPE}", FileSpec("NUL", TYPE)),
            (r"C:\x.txt", FileSpec(r"C:\x.txt")),
            (rf"C:\x.txt:{TYPE}", FileSpec(r"C:\x.txt", TYPE)),
            (f"c:/x.txt:{TYPE}", FileSpec("c:/x.txt", TYPE)),
            ("a:b:", FileSpec("a:b")),
            (f"a:b:{TYPE}", FileSpec("a:b", TYPE)),
            ("no/such/file", FileSpec("no/such/file")),
            ("", FileSpec("")),
        ],
    )
    def test_each_spelling(self, here: Path, text: str, spec: FileSpec) -> None:
        assert parse_file_spec(text) == spec

    @pytest.mark.parametrize("text", [":", f":{TYPE}", "a.txt:nonsense", "a.txt:text/", "a:b", "http://h.example/a"])
    def test_what_is_none_is_refused_with_advice(self, here: Path, text: str) -> None:
        with pytest.raises(errors.InvalidInputError) as caught:
            parse_file_spec(text)
        assert "PATH:TYPE" in caught.value.hint

    def test_a_path_that_exists_wins(self, here: Path) -> None:
        (here / "a:b").write_text("")
        assert parse_file_spec("a:b") == FileSpec("a:b")
        (here / "a:text").mkdir()
        (here / "a:text" / "plain").write_text("")
        assert parse_file_spec("a:text/plain") == FileSpec("a:text/plain")
        (here / "a").write_text("")
        assert parse_file_spec("a:text/plain") == FileSpec("a", "text/plain")

    def test_windows_separators_are_read_where_that_exists(self, here: Path) -> None:
        (here / "d").mkdir()
        (here / "d" / "a.txt").write_text("")
        assert parse_file_spec(rf".\d\a.txt:{TYPE}") == FileSpec("./d/a.txt", TYPE)
        assert parse_file_spec(r"e\a.txt") == FileSpec(r"e\a.txt")
        (here / r"d\a.txt").write_text("")
        assert parse_file_spec(r"d\a.txt") == FileSpec(r"d\a.txt")

    @given(st.text(max_size=30))
    def test_no_text_does_worse_than_being_refused(self, text: str) -> None:
        with contextlib.suppress(errors.InvalidInputError, ValueError):
            parse_file_spec(text)

    @pytest.mark.parametrize(
        ("path", "title"),
        [
            ("a.txt", "a.txt"),
            ("./d/../a.txt", "a.txt"),
            ("d/a.txt", "d/a.txt"),
            ("d//a.txt/", "d/a.txt"),
            ("/tmp/x", "x"),
            ("../x", "x"),
            ("../../d/x", "x"),
            ("..x", "..x"),
            ("./..", None),
            (".", "."),
        ],
    )
    def test_a_title_is_a_place_below_here(self, here: Path, path: str, title: str | None) -> None:
        assert title_of(path) == (os.path.basename(os.path.abspath(path)) if title is None else title)


class TestAnnotations:
    def test_pairs_win_over_the_file(self, here: Path) -> None:
        (here / "a.json").write_text(
            json.dumps({"$manifest": {"a": "1", "b": "2"}, "$config": {"c": "3"}, "f": {"d": "4"}})
        )
        found = collect_annotations(["b=x=y", "e="], "a.json")
        assert found == Annotations({"a": "1", "b": "x=y", "e": ""}, {"c": "3"}, {"f": {"d": "4"}})
        assert collect_annotations([], None) == Annotations()

    @pytest.mark.parametrize("pair", ["a", "=b", " =b", ""])
    def test_what_is_no_pair_is_refused(self, pair: str) -> None:
        with pytest.raises(errors.InvalidInputError, match="Not an annotation"):
            collect_annotations([pair], None)

    @pytest.mark.parametrize(
        "text", ["", "{", "[]", "null", '{"a": 1}', '{"a": {"b": 1}}', '{"a": ["b"]}', "\udcff", "[" * 100_000]
    )
    def test_a_file_of_another_form_is_refused(self, here: Path, text: str) -> None:
        (here / "a.json").write_bytes(text.encode(errors="surrogateescape"))
        with pytest.raises(errors.InvalidInputError, match="annotation file") as caught:
            collect_annotations([], "a.json")
        assert caught.value.where == "a.json"

    def test_a_file_that_is_missing_is_named(self, here: Path) -> None:
        with pytest.raises(errors.LocalFileError, match=r"a\.json"):
            collect_annotations([], "a.json")


class TestVersions:
    @pytest.mark.parametrize(
        ("asked", "config", "kind", "version"),
        [
            (None, False, None, "v1.1"),
            (None, False, "a/b", "v1.1"),
            (None, True, None, "v1.0"),
            (None, True, "a/b", "v1.1"),
            ("v1.0", False, None, "v1.0"),
            ("v1.0", False, "a/b", "v1.0"),
            ("v1.0", True, None, "v1.0"),
            ("v1.1", False, None, "v1.1"),
            ("v1.1", True, "a/b", "v1.1"),
        ],
    )
    def test_each_combination(self, asked, config: bool, kind, version: str) -> None:
        assert spec_version(asked, FileSpec("c") if config else None, kind) == version

    @pytest.mark.parametrize(
        ("asked", "config", "kind"),
        [
            ("v1.1", True, None),
            ("v1.0", True, "a/b"),
            (None, False, "nonsense"),
            (None, False, ""),
            (None, True, "a/b/c"),
        ],
    )
    def test_what_a_version_cannot_say_is_refused(self, asked, config: bool, kind) -> None:
        with pytest.raises(errors.InvalidInputError) as caught:
            spec_version(asked, FileSpec("c") if config else None, kind)
        assert caught.value.hint

    @pytest.mark.parametrize(
        ("version", "config", "kind", "shape"),
        [
            ("v1.1", None, None, ("application/vnd.unknown.artifact.v1", "application/vnd.oci.empty.v1+json", True)),
            ("v1.1", None, "a/b", ("a/b", "application/vnd.oci.empty.v1+json", True)),
            ("v1.1", "c:x/y", "a/b", ("a/b", "x/y", False)),
            ("v1.0", None, None, (None, "application/vnd.unknown.config.v1+json", False)),
            ("v1.0", None, "a/b", (None, "a/b", False)),
            ("v1.0", "c:x/y", None, (None, "x/y", False)),
            ("v1.0", "c", None, (None, "application/vnd.unknown.config.v1+json", False)),
        ],
    )
    def test_manifests_have_orass_shape(self, here: Path, version: str, config, kind, shape) -> None:
        (here / "c").write_text("{}")
        from dataclasses import replace

        from azext_acrartifact.oci.descriptor import Descriptor

        with contextlib.ExitStack() as stack:
            spec = parse_file_spec(config) if config else None
            shipment = config_shipment(version, spec, kind, {"k": "v"}, stack)
            descriptor = Descriptor(shipment.media_type, digest_of(b"{}"), 2, shipment.annotations, shipment.data)
            manifest = compose(version, descriptor, [], kind, None, {"n": "1"})
        raw = json.loads(manifest.raw)
        found = (raw.get("artifactType"), raw["config"]["mediaType"], "data" in raw["config"])
        assert found == shape
        assert raw["config"]["annotations"] == {"k": "v"}
        assert raw["annotations"] == {"n": "1"}
        assert replace(empty_shipment(), annotations={}).data == b"{}"

    def test_only_1_1_has_a_placeholder(self) -> None:
        assert [len(placeholders(version)) for version in ("v1.0", "v1.1")] == [0, 1]

    def test_the_null_device_is_an_empty_config(self, here: Path) -> None:
        for path in ("/dev/null", "NUL"):
            with contextlib.ExitStack() as stack:
                shipment = config_shipment("v1.0", FileSpec(path, "x/y"), None, {}, stack)
                assert (shipment.size, shipment.media_type) == (0, "x/y")


class TestInputs:
    @staticmethod
    def titles(*paths: str, exclude: tuple[str, ...] = ()) -> list[str]:
        with contextlib.ExitStack() as stack:
            return [item.title for item in open_inputs([FileSpec(path) for path in paths], Opening(exclude), stack)]

    def test_files_and_folders_are_looked_at(self, here: Path) -> None:
        (here / "d").mkdir()
        (here / "d" / "x").write_text("12345")
        (here / "a").write_text("123")
        with contextlib.ExitStack() as stack:
            file, folder = open_inputs([FileSpec("a"), FileSpec("d")], Opening(annotations={"a": {"k": "v"}}), stack)
            assert (file.title, file.size, file.annotations) == ("a", 3, {"k": "v"})
            assert (folder.title, folder.size, folder.file) == ("d", 5, None)

    @pytest.mark.parametrize("path", ["missing", "", "d/missing"])
    def test_what_is_missing_is_named(self, here: Path, path: str) -> None:
        with pytest.raises(errors.LocalFileError):
            self.titles(path)

    @pytest.mark.parametrize(("first", "second"), [("a", "./a"), ("A", "a"), ("d/x", "d"), ("../x", "x")])
    def test_two_of_one_name_are_refused(self, here: Path, first: str, second: str, monkeypatch) -> None:
        (here / "w" / "d").mkdir(parents=True)
        for name in ("w/a", "w/A", "w/d/x", "w/x", "x"):
            (here / name).write_text("")
        monkeypatch.chdir(here / "w")
        with pytest.raises(errors.InvalidInputError):
            self.titles(first, second)

    @pytest.mark.parametrize("name", ["a:b", "con", "a ", "a\\b", "b\x1b", "\udcff"])
    def test_a_name_that_cannot_be_pulled_is_not_pushed(self, here: Path, name: str) -> None:
        try:
            (here / name).write_text("")
        except OSError:
            pytest.fail("the file system of this test takes every name")
        with pytest.raises(errors.LocalFileError, match="cannot be pushed"):
            self.titles(name)
