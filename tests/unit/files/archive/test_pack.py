"""Packed folders: the same bytes for the same content, readable by every tool, and only unchanged files."""

import gzip
import hashlib
import io
import os
import shutil
import subprocess
import tarfile
import unicodedata
import zlib
from pathlib import Path

import pytest

from azext_acrartifact.errors import InvalidInputError, LocalFileError
from azext_acrartifact.files.archive.compression import codec_named
from azext_acrartifact.files.archive.exclusion import FINDER_FILE, Exclusion
from azext_acrartifact.files.archive.pack import PackedFolder
from azext_acrartifact.files.patterns import Patterns
from tests.support.system import link, on_posix
from tests.unit.files.conftest import snapshot

BIG = os.urandom(1 << 20) * 3 + b"tail"
SAME_EVERYWHERE = "sha256:e64bc2920b6153f215e157ad168354b1fef116252d1c456b73678c9215bb1262"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of everything that ORAS packs: modes, links, an empty folder, names that ustar cannot hold."""
    top = tmp_path / "d"
    (top / "empty").mkdir(parents=True)
    (top / "sub").mkdir()
    (top / "one.txt").write_bytes(b"one\n")
    (top / "sub/big.bin").write_bytes(BIG)
    (top / "sub/tool.sh").write_bytes(b"#!/bin/sh\n")
    (top / "sub/tool.sh").chmod(0o755)
    (top / "sub/group").write_bytes(b"")
    (top / "sub/group").chmod(0o640)
    (top / ("n" * 90)).mkdir()
    (top / ("n" * 90) / ("m" * 99)).write_bytes(b"split")
    (top / ("l" * 150)).write_bytes(b"pax")
    (top / "naïve 文件").write_bytes(b"pax")
    link(top / "link", "one.txt")
    link(top / "sub/up", "../one.txt")
    link(top / "sub/long", "../" + "l" * 150)
    os.link(top / "one.txt", top / "same.txt")
    return top


def packed(folder: Path, title: str = "d", **options: object) -> bytes:
    return b"".join(PackedFolder.scan(str(folder), title, **options).stream())  # type: ignore[arg-type]


def members(layer: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(layer))) as archive:
        return archive.getmembers()


def test_packs_as_oras_does(folder: Path) -> None:
    found = members(packed(folder))
    paths = [member.name for member in found]
    assert paths[0] == "d"
    assert paths == sorted(paths, key=lambda path: path.split("/"))
    assert {(m.uid, m.gid, m.uname, m.gname, m.mtime) for m in found} == {(0, 0, "", "", 0)}
    modes = {member.name: oct(member.mode) for member in found}
    for path, mode in on_posix(("d/sub/tool.sh", "0o755"), ("d/sub/group", "0o640"), ("d/link", "0o777")):
        assert modes[path] == mode
    kinds = {member.name: member.type for member in found}
    assert (kinds["d/same.txt"], kinds["d/one.txt"], kinds["d/empty"]) == (b"0", b"0", b"5")
    links = {m.name: m.linkname for m in found if m.issym()}
    assert {*on_posix(("d/sub/up", "../one.txt"))} <= links.items()
    # pax records only where ustar is too small
    assert {member.name for member in found if member.pax_headers} == {
        "d/" + "l" * 150,
        "d/naïve 文件",
        *on_posix("d/sub/long"),
    }


def test_digests_and_sizes(folder: Path) -> None:
    scanned = PackedFolder.scan(str(folder), "d")
    stream = scanned.stream()
    with pytest.raises(ValueError, match="end"):
        _ = stream.result
    layer = b"".join(stream)
    tar = gzip.decompress(layer)
    assert stream.result.size == len(layer)
    assert stream.result.tar_digest == scanned.tar_digest() == f"sha256:{hashlib.sha256(tar).hexdigest()}"
    assert scanned.content_size == len(BIG) + 4 + 10 + 5 + 3 + 3 + 4
    plain = scanned.stream(codec_named("none"))
    assert b"".join(plain) == tar
    assert plain.result.tar_digest == stream.result.tar_digest
    blocks = list(scanned.blocks())
    assert {len(block) for block in blocks[:-1]} <= {1 << 20}
    assert b"".join(blocks) == tar


def test_same_content_same_bytes(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "elsewhere" / "x"
    shutil.copytree(folder, other, symlinks=True)
    os.utime(other / "one.txt", (5, 5))
    (other / "sub/group").chmod(0o4660)  # setgid, setuid and write for the group are dropped
    layers = {packed(folder), packed(other)}
    assert len(layers) == 1
    assert layers.pop()[:10] == b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x04\xff"


def test_the_digest_is_the_same_on_every_system(tmp_path: Path) -> None:
    """Compare with a digest found on Linux. `dev.py windows digests` compares two systems directly."""
    files = {"b": b"", "B2": b"1\r\n", "a/x/y.txt": b"2\n", "naïve 文件": b"3", "l" * 120: b"4", "s.bin": bytes(70000)}
    for name, content in files.items():
        (tmp_path / "d" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "d" / name).write_bytes(content)
    for path in (tmp_path / "d", *(tmp_path / "d").rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)
    assert PackedFolder.scan(str(tmp_path / "d"), "d").tar_digest() == SAME_EVERYWHERE


@pytest.mark.parametrize(
    "change",
    [
        lambda top: (top / "one.txt").write_bytes(b"two\n"),
        *on_posix(lambda top: (top / "sub/tool.sh").chmod(0o644)),
        lambda top: (top / "empty").rmdir(),
        lambda top: (top / "one.txt").rename(top / "1.txt"),
    ],
)
def test_other_content_other_digest(folder: Path, change: object) -> None:
    before = PackedFolder.scan(str(folder), "d").tar_digest()
    change(folder)  # type: ignore[operator]
    assert PackedFolder.scan(str(folder), "d").tar_digest() != before


def test_source_date_epoch(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert {member.mtime for member in members(packed(folder))} == {1700000000}
    assert {member.mtime for member in members(packed(folder, mtime=7))} == {7}
    for wrong in ("-1", "x", "99999999999", "1.5"):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", wrong)
        with pytest.raises(InvalidInputError, match="SOURCE_DATE_EPOCH"):
            PackedFolder.scan(str(folder), "d")


def test_system_tar_and_gzip_unpack_it(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "layer.tar.gz").write_bytes(packed(folder))
    subprocess.run(["gzip", "-t", "layer.tar.gz"], cwd=tmp_path, check=True)
    (tmp_path / "out").mkdir()
    run = ["tar", "-xpzf", "../layer.tar.gz"]
    result = subprocess.run(run, cwd=tmp_path / "out", check=True, capture_output=True, text=True)
    assert result.stderr == ""
    assert snapshot(tmp_path / "out/d") == snapshot(folder)


def test_a_folder_may_be_packed_without_a_title(folder: Path) -> None:
    paths = [member.name for member in members(packed(folder, "."))]
    assert paths[0] == "."
    assert {"one.txt", "sub/group"} < set(paths)


def test_a_title_of_several_components_and_a_linked_top(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "linked").symlink_to(folder)
    paths = [member.name for member in members(packed(tmp_path / "linked", "a/b"))]
    assert paths[0] == "a/b"
    assert "a/b/one.txt" in paths


def test_exclude(folder: Path) -> None:
    exclusion = Exclusion(Patterns.of(["sub/*.bin", "link", "n*", "l*", "*.sh"]))
    paths = {member.name for member in members(packed(folder, exclusion=exclusion))}
    assert paths == {"d", "d/empty", "d/one.txt", "d/same.txt", "d/sub", "d/sub/group", *on_posix("d/sub/up")}


@pytest.mark.parametrize("title", ["..", "/abs", "a\\b", "", "a/../b"])
def test_refuses_unsafe_title(folder: Path, title: str) -> None:
    with pytest.raises(LocalFileError, match="under this name"):
        PackedFolder.scan(str(folder), title)


def _replace_by_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def _replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("one.txt")


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path.write_bytes(b"longer than before"),
        lambda path: path.write_bytes(b""),
        lambda path: os.utime(path, (1, 1)),
        Path.unlink,
        *on_posix(_replace_by_fifo, _replace_by_link),
    ],
)
@pytest.mark.timeout(10)
def test_a_change_after_the_scan_is_noticed(folder: Path, change: object) -> None:
    scanned = PackedFolder.scan(str(folder), "d")
    change(folder / "sub/tool.sh")  # type: ignore[operator]
    for read in (scanned.tar_digest, lambda: b"".join(scanned.stream())):
        with pytest.raises(LocalFileError, match=r"tool\.sh.*changed while it was pushed|not a regular file"):
            read()


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"other")
    os.utime(path, (1, 1))


@pytest.mark.parametrize("change", [lambda path: os.truncate(path, 1 << 20), _overwrite])
def test_a_change_while_it_is_read_is_noticed(folder: Path, change: object) -> None:
    blocks = PackedFolder.scan(str(folder), "d").blocks()
    next(blocks)
    change(folder / "sub/big.bin")  # type: ignore[operator]
    with pytest.raises(LocalFileError, match=r"big\.bin changed while it was pushed"):
        list(blocks)


def test_compression_is_one_member_of_independent_blocks(folder: Path) -> None:
    layer = packed(folder)
    member = zlib.decompressobj(31)
    member.decompress(layer)
    assert member.eof
    assert not member.unused_data


def test_a_file_with_content_behind_its_size_is_refused() -> None:
    with pytest.raises(LocalFileError, match=r"max_user_watches.*content after its size of 0 bytes"):
        packed(Path("/proc/sys/fs/inotify"), exclusion=Exclusion(Patterns.of(["*", "!max_user_watches"])))


def test_what_macos_changed_in_a_folder_is_undone(tmp_path: Path) -> None:
    """HFS+ decomposes names, which sorts them anew: \u00e9 comes after z, and e with an accent before it."""
    folders = []
    for form in ("NFC", "NFD"):
        top = tmp_path / form
        for name in ("caf\u00e9/x", "cafz", "cafe"):
            path = top / unicodedata.normalize(form, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"x")
        if form == "NFD":
            (top / FINDER_FILE).touch()
        folders.append(PackedFolder.scan(str(top), "d"))
    usual, changed = folders
    assert usual.portable() is usual
    assert changed.portable().tar_digest() == usual.tar_digest() != changed.tar_digest()
