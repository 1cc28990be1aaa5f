"""Layouts of other programs, folder and tar, which are never trusted."""

from __future__ import annotations

import bz2
import contextlib
import gzip
import hashlib
import json
import lzma
import os
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, strategies

from azext_acrartifact import errors
from azext_acrartifact.files.archive.tar_format import ENTRY_LIMIT
from azext_acrartifact.files.archive.tar_headers import END_OF_ARCHIVE
from azext_acrartifact.files.archive.tar_index import ByteRange, index_tar
from azext_acrartifact.files.directory.posix import DescriptorFolder
from azext_acrartifact.files.local_file import LocalFile
from azext_acrartifact.layout.files import FolderFiles, TarFiles, open_layout, read_layout, read_small
from azext_acrartifact.layout.source import LayoutSource
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST
from tests.support.system import WINDOWS, fifo
from tests.unit.files.archive.archives import extended, folder, member, record, symlink, zstd
from tests.unit.files.descriptors import open_below
from tests.unit.layout.layouts import (
    CONFIG,
    FORMS,
    LAYER,
    MANIFEST,
    MARKER,
    TAGGED,
    blob_of,
    content_of,
    described,
    layout,
    name_of,
    put,
    source,
)


@FORMS
def test_a_layout_is_read_without_unpacking(tmp_path: Path, form: str) -> None:
    found = source(put(tmp_path / form, layout()))
    assert {tag: item.digest for tag, item in found.tags().items()} == {"1.0": digest_of(MANIFEST)}
    manifest = found.manifest("1.0")
    assert manifest.raw == MANIFEST
    assert found.manifest(digest_of(MANIFEST)).digest == manifest.digest
    assert [content_of(found, manifest.layers[0], offset) for offset in (0, 4)] == [LAYER, LAYER[4:]]
    assert os.listdir(tmp_path) == [form]
    found.close()


@FORMS
@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"marker": None}, errors.LocalFileError),
        ({"marker": b"{}"}, errors.InvalidManifestError),
        ({"marker": MARKER + bytes(5000)}, errors.LocalFileError),
        ({"index": None}, errors.LocalFileError),
        ({"index": b" " * (4 * 1024 * 1024) + b"{}"}, errors.LocalFileError),
        ({"index": b"null"}, errors.InvalidManifestError),
    ],
)
def test_no_layout_is_refused(tmp_path: Path, form: str, changed: dict, error: type[errors.ArtifactError]) -> None:
    files = open_layout(str(put(tmp_path / form, layout(**changed))))
    with pytest.raises(error):
        read_layout(files)
    files.close()


@FORMS
def test_a_damaged_layout_is_refused(tmp_path: Path, form: str) -> None:
    found = source(put(tmp_path / form, layout(manifest=MANIFEST + b" ", layer=b"too long for it")))
    with pytest.raises(errors.DigestMismatchError, match="damaged"):
        found.manifest("1.0")
    with pytest.raises(errors.DigestMismatchError, match="15 bytes instead of 9"):
        found.require([blob_of(LAYER)])
    with pytest.raises(errors.LocalFileError, match="is missing"):
        found.fetch(blob_of(b"other"))
    with pytest.raises(errors.NotFoundError, match="no such tag") as raised:
        found.manifest("2.0")
    assert raised.value.hint == "Name the artifact by --source-tag: 1.0"
    assert found.resolve("2.0") is None
    assert found.resolve(digest_of(b"other")) is None
    found.close()


@FORMS
def test_a_manifest_that_is_too_long_is_not_read(tmp_path: Path, form: str) -> None:
    long = b" " * (4 * 1024 * 1024 + 1)
    entry = described(long, IMAGE_MANIFEST)
    files = {**layout(index=json.dumps({"schemaVersion": 2, "manifests": [entry]}).encode()), name_of(long): long}
    found = source(put(tmp_path / form, files))
    with pytest.raises(errors.LocalFileError, match="too long"):
        found.manifest(digest_of(long))
    found.close()


def attached(subject: bytes) -> bytes:
    """Return a manifest that refers to *subject*."""
    fields = {"subject": described(subject, IMAGE_MANIFEST), "config": described(CONFIG), "layers": []}
    return json.dumps({"schemaVersion": 2, "mediaType": IMAGE_MANIFEST, **fields}).encode()


@FORMS
def test_referrers_are_found_as_oras_and_as_regctl_list_them(tmp_path: Path, form: str) -> None:
    one, two = attached(MANIFEST), attached(MANIFEST) + b"\n"
    listed = json.dumps({"schemaVersion": 2, "manifests": [described(two, IMAGE_MANIFEST)]}).encode()
    list_tag = f"sha256-{hashlib.sha256(MANIFEST).hexdigest()}"
    by_tag = {
        **described(listed, "application/vnd.oci.image.index.v1+json"),
        "annotations": {"org.opencontainers.image.ref.name": list_tag},
    }
    unknown = described(b"x", "application/xml")
    items = [TAGGED, described(one, IMAGE_MANIFEST), by_tag, unknown]
    index = json.dumps({"schemaVersion": 2, "manifests": items}).encode()
    files = {**layout(index=index), name_of(one): one, name_of(two): two, name_of(listed): listed}
    found = source(put(tmp_path / form, files))
    assert {item.digest for item in found.referrers(digest_of(MANIFEST))} == {digest_of(one), digest_of(two)}
    assert found.referrers(digest_of(one)) == []
    assert list(found.tags()) == ["1.0"]
    found.close()


def test_links_and_devices_in_a_folder_are_not_followed(tmp_path: Path, folder_kind: type) -> None:
    outside = put(tmp_path / "outside", layout())
    for number, (inside, target) in enumerate(
        [
            (name_of(LAYER), outside / name_of(LAYER)),
            ("blobs/sha256", outside / "blobs" / "sha256"),
            ("blobs", outside / "blobs"),
            ("index.json", outside / "index.json"),
            ("oci-layout", outside / "oci-layout"),
        ]
    ):
        path = put(tmp_path / f"linked-{number}", layout())
        if (path / inside).is_dir():
            (path / inside).rename(tmp_path / f"away-{number}")
        else:
            (path / inside).unlink()
        (path / inside).symlink_to(target)
        files = open_layout(str(path))
        with pytest.raises(errors.LocalFileError):
            read_small(files, f"{inside}/x" if target.is_dir() else inside, 1000)
        files.close()
    path = put(tmp_path / "fifo", layout(layer=None))
    os.mkfifo(path / name_of(LAYER))
    found = source(path)
    with pytest.raises(errors.LocalFileError, match="a device, FIFO or socket"):
        found.fetch(blob_of(LAYER))
    found.close()


class ReplacedFolder(DescriptorFolder):
    """A folder whose file becomes something else just before it is opened."""

    def again(self) -> ReplacedFolder:
        return ReplacedFolder(os.dup(self.descriptor), self.path)

    def open(self, name: str) -> int:
        os.unlink(name, dir_fd=self.descriptor)
        (fifo if self.path.endswith("FIFO") else os.mkdir)(Path(self.path, name))
        return super().open(name)


@pytest.mark.parametrize("kind", ["FIFO", "folder"])
def test_a_file_that_is_replaced_when_it_is_opened_is_not_read(tmp_path: Path, kind: str) -> None:
    path = put(tmp_path / kind, layout())
    with contextlib.closing(FolderFiles(ReplacedFolder(os.open(path, os.O_RDONLY), str(path)))) as files:
        with pytest.raises(errors.LocalFileError, match="not a regular file"):
            files.open("index.json")
    assert open_below(tmp_path) == []


@FORMS
def test_nothing_stays_open(tmp_path: Path, form: str) -> None:
    found = source(put(tmp_path / form, layout(manifest=MANIFEST + b" ")))
    content_of(found, blob_of(LAYER))
    found.require([blob_of(LAYER)])
    with pytest.raises(errors.DigestMismatchError):
        found.require([Descriptor("", digest_of(LAYER), 1)])
    with pytest.raises(errors.DigestMismatchError):
        found.manifest("1.0")
    with pytest.raises(errors.LocalFileError):
        found.fetch(blob_of(b"other"))
    assert WINDOWS or open_below(tmp_path) == [str(tmp_path / form)]
    found.close()
    for files in ({"manifest.json": b"[]"}, {"x": b""}, layout(index=b" " * (5 << 20))):
        with contextlib.closing(open_layout(str(put(tmp_path / f"no-{form}", files)))) as no_layout:
            with pytest.raises(errors.LocalFileError):
                read_layout(no_layout)
    (tmp_path / "broken.tar").write_bytes(b"no tar" * 1000)
    with pytest.raises(errors.UnsafeContentError):
        open_layout(str(tmp_path / "broken.tar"))
    assert open_below(tmp_path) == []


@FORMS
def test_a_small_file_may_be_as_long_as_the_limit(tmp_path: Path, form: str) -> None:
    with contextlib.closing(open_layout(str(put(tmp_path / form, layout())))) as files:
        assert read_small(files, "oci-layout", len(MARKER)) == MARKER
        with pytest.raises(errors.LocalFileError, match=f"more than {len(MARKER) - 1} bytes"):
            read_small(files, "oci-layout", len(MARKER) - 1)


def test_only_files_named_as_blobs_are_blobs(tmp_path: Path) -> None:
    digits = "a" * 64
    names = (
        "oci-layout",
        f"blobs/sha256/{digits}",
        f"others/sha256/{digits[1:]}b",
        "blobs/x",
        "blobs/sha256/x",
        "blobs",
    )
    (tmp_path / "x").touch()
    with LocalFile.open(str(tmp_path / "x")) as file:
        found = TarFiles(file, {name: ByteRange(0, number) for number, name in enumerate(names)})
        assert found.blobs() == {f"sha256:{digits}": 1}


GOOD = b"".join(member(name, content) for name, content in layout().items())
HOSTILE = {
    "hard link": GOOD + member("blobs/x", kind=b"1", link="oci-layout"),
    "device": GOOD + member("null", kind=b"3"),
    "FIFO": GOOD + member("fifo", kind=b"6"),
    "sparse": GOOD + member("sparse", kind=b"S"),
    "sparse by pax": GOOD + extended(b"x", record("GNU.sparse.major", b"1")) + member("sparse", b"x"),
    "unknown type": GOOD + member("x", kind=b"V"),
    "the same name": GOOD + member("index.json", b"{}"),
    "the same name in another form": GOOD + member("./index.json", b"{}"),
    "the same name by pax": GOOD + extended(b"x", record("path", b"index.json")) + member("other", b"{}"),
    "wrong checksum": GOOD + b"z" + member("x", b"y")[1:],
    "past the end": GOOD + member("x", b"", at_124=b"%011o\x00" % 4096)[:512],
    "past every end": GOOD + member("x", b"", at_124=b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7),
    "negative size": GOOD + member("x", b"", at_124=b"\xff" * 12),
    "content after the end": GOOD + END_OF_ARCHIVE + b"hidden",
    "cut within a header": GOOD + member("x", b"y")[:100],
    "a long header": GOOD + extended(b"x", b"", 1 << 30),
    "compressed": gzip.compress(GOOD + END_OF_ARCHIVE),
    "no tar": b"x" * 5000,
    "not UTF-8": GOOD + member("x", b"y", at_0=b"\xff"),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_tar_is_refused(tmp_path: Path, case: str) -> None:
    path = tmp_path / "layout.tar"
    path.write_bytes(HOSTILE[case] if case in ("compressed", "no tar") else HOSTILE[case] + END_OF_ARCHIVE)
    with pytest.raises(errors.UnsafeContentError) as raised:
        open_layout(str(path))
    assert str(path) in raised.value.message
    assert "folder" not in raised.value.what


@pytest.mark.parametrize(
    ("pack", "name"), [(gzip.compress, "gzip"), (zstd, "zstd"), (lzma.compress, "xz"), (bz2.compress, "bzip2")]
)
def test_a_compressed_tar_is_distinguished_from_a_damaged_one(
    tmp_path: Path, pack: Callable[[bytes], bytes], name: str
) -> None:
    path = tmp_path / "layout.tar"
    path.write_bytes(pack(GOOD + END_OF_ARCHIVE))
    with pytest.raises(errors.UnsafeContentError, match=f"it is compressed by {name}") as raised:
        open_layout(str(path))
    assert raised.value.hint.startswith("Unpack it, and give the folder: mkdir layout.tar && tar -xf ")
    path.write_bytes(GOOD + member("index.json", b"{}"))
    with pytest.raises(errors.UnsafeContentError, match=r"two members have the same name \(index.json\)") as raised:
        open_layout(str(path))
    assert "Do not trust it" in raised.value.hint


def test_a_tar_may_end_with_its_last_file(tmp_path: Path) -> None:
    """Without the blocks of zeros that mark the end: https://pkg.go.dev/archive/tar#Reader.Next takes that as well."""
    path = tmp_path / "layout.tar"
    path.write_bytes(GOOD)
    with contextlib.closing(open_layout(str(path))) as files:
        assert list(read_layout(files).tags("")) == ["1.0"]
    path.write_bytes(GOOD[:-1])
    with pytest.raises(errors.UnsafeContentError, match="it ends within a file"):
        open_layout(str(path))


def test_links_in_a_tar_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "layout.tar"
    path.write_bytes(
        folder("blobs") + member("oci-layout", MARKER) + symlink("index.json", "/etc/passwd") + END_OF_ARCHIVE
    )
    files = open_layout(str(path))
    with pytest.raises(errors.LocalFileError, match=r"no index\.json"):
        read_layout(files)
    files.close()


def test_an_empty_file_is_no_layout(tmp_path: Path) -> None:
    (tmp_path / "x.tar").touch()
    files = open_layout(str(tmp_path / "x.tar"))
    with pytest.raises(errors.LocalFileError, match="Not an OCI image layout"):
        read_layout(files)
    files.close()
    with pytest.raises(errors.LocalFileError):
        open_layout(str(tmp_path / "none"))


def test_a_tar_by_docker_save_is_recognized(tmp_path: Path) -> None:
    path = put(tmp_path / "saved.tar", {"manifest.json": b"[]", "repositories": b"{}"})
    files = open_layout(str(path))
    with pytest.raises(errors.LocalFileError, match="docker save") as raised:
        read_layout(files)
    assert "skopeo copy" in raised.value.hint
    files.close()


def test_a_folder_by_skopeo_is_recognized(tmp_path: Path) -> None:
    files = {"version": b"Directory Transport Version: 1.1\n", "manifest.json": b"{}", "a" * 64: b""}
    found = open_layout(str(put(tmp_path / "dir", files)))
    with pytest.raises(errors.LocalFileError, match="skopeo wrote it with dir:") as raised:
        read_layout(found)
    assert f"skopeo copy dir:{tmp_path / 'dir'} oci:LAYOUT:TAG" in raised.value.hint
    found.close()


@pytest.mark.parametrize("content", [{"version": b"1.0"}, {"version/a": b""}, {"version": bytes(9999)}])
def test_a_file_called_version_is_not_by_skopeo(tmp_path: Path, content: dict[str, bytes]) -> None:
    with contextlib.closing(open_layout(str(put(tmp_path / "dir", content)))) as found:
        with pytest.raises(errors.LocalFileError, match="it has no file oci-layout"):
            read_layout(found)


@pytest.mark.parametrize("kind", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
def test_tars_of_other_programs_are_read(tmp_path: Path, kind: int) -> None:
    put(tmp_path / "layout", layout())
    with tarfile.open(tmp_path / "layout.tar", "w", format=kind) as archive:
        archive.add(tmp_path / "layout", arcname=".")
    with LocalFile.open(str(tmp_path / "layout.tar")) as file:
        assert set(index_tar(file)) == set(layout())
    found = source(tmp_path / "layout.tar")
    assert found.manifest("1.0").raw == MANIFEST
    found.close()


def test_only_headers_of_a_tar_are_read(tmp_path: Path) -> None:
    path = tmp_path / "layout.tar"
    with path.open("wb") as file:
        file.write(member("large", b"", at_124=b"%011o\x00" % (7 << 30)))
        file.seek(7 << 30, os.SEEK_CUR)
        file.write(member("last", b"x") + END_OF_ARCHIVE)
    with LocalFile.open(str(path)) as file:
        assert {name: extent.size for name, extent in index_tar(file).items()} == {"large": 7 << 30, "last": 1}


def test_a_tar_of_too_many_members_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "layout.tar"
    path.write_bytes(folder("x") * (ENTRY_LIMIT + 1) + END_OF_ARCHIVE)
    with pytest.raises(errors.UnsafeContentError, match=f"more than {ENTRY_LIMIT:,}"):
        open_layout(str(path))


@given(position=strategies.integers(0, len(GOOD) - 1), value=strategies.integers(1, 255), cut=strategies.booleans())
def test_a_tar_with_any_byte_changed_gives_right_bytes_or_an_error(position: int, value: int, cut: bool) -> None:
    changed = bytearray(GOOD + END_OF_ARCHIVE)
    changed[position] ^= value
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "layout.tar"
        path.write_bytes(changed[: position + 1] if cut else changed)
        try:
            files = open_layout(str(path))
        except errors.ArtifactError:
            return
        with contextlib.closing(files), contextlib.suppress(errors.ArtifactError):
            manifest = LayoutSource(files).manifest(digest_of(MANIFEST))
            assert manifest.raw == MANIFEST
