"""Unpacked folders: honest archives arrive, hostile ones change nothing."""

import contextlib
import errno
import gzip
import io
import os
import stat
import subprocess
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrartifact.errors import DigestMismatchError, LocalFileError, RefusedError, UnsafeContentError
from azext_acrartifact.files.archive.budget import size_limit
from azext_acrartifact.files.archive.compression import codec_named
from azext_acrartifact.files.archive.extract import Extraction, Unpacked
from azext_acrartifact.files.archive.pack import PackedFolder
from azext_acrartifact.files.archive.tar_format import ENTRY_LIMIT
from azext_acrartifact.files.archive.tar_reader import PADDING_LIMIT
from azext_acrartifact.files.names import safe_folder
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.files.writing.destination import Destination
from tests.support.system import RENAME, WINDOWS, has_mode, link, on_posix
from tests.unit.files.archive.archives import digest, extended, folder, layer, member, record, seal, symlink
from tests.unit.files.archive.hostile_archives import HOSTILE
from tests.unit.files.conftest import Before, failing, put, snapshot
from tests.unit.files.descriptors import open_below


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Return the destination folder. A file beside it must stay as it is."""
    found = tmp_path / "out"
    found.mkdir()
    (tmp_path / "outside").write_bytes(b"precious")
    return found


def unpack(
    out: Path,
    data: bytes,
    title: str = "d",
    max_size: int = 1 << 30,
    want: str | None = None,
    **options: Any,
) -> Unpacked:
    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder(title), max_size=max_size, digest=want, **options) as extraction:
            result = extraction.read(io.BytesIO(data).read)
            extraction.commit()
    return result


@pytest.mark.parametrize("bad", [member("d/venv/lib/a.py", b"x"), symlink("d/venv", "e"), folder("d/venv/bin")])
def test_no_member_reaches_a_closed_folder(out: Path, bad: bytes) -> None:
    data = layer(folder("d"), member("d/free", b"x"), bad)
    before = snapshot(out)
    with Destination.open(str(out), closed=[str(out / "d/venv")]) as destination:
        with Extraction(destination, safe_folder("d"), max_size=1 << 30) as extraction:
            with pytest.raises(UnsafeContentError, match="own Python"):
                extraction.read(io.BytesIO(data).read)
    assert snapshot(out) == before


def refuse(out: Path, data: bytes, why: str = "", **options) -> None:
    """Check that *data* is refused and that nothing changes, in the destination or beside it."""
    before = snapshot(out.parent)
    with pytest.raises(RefusedError) as caught:
        unpack(out, data, **options)
    assert why in caught.value.message
    assert snapshot(out.parent) == before


# Honest archives


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "source"
    (top / "empty").mkdir(parents=True)
    (top / "sub/deep").mkdir(parents=True)
    (top / "one.txt").write_bytes(b"one\n")
    (top / "sub/tool.sh").write_bytes(b"#!/bin/sh\n")
    (top / "sub/tool.sh").chmod(0o755)
    (top / "sub/deep/big").write_bytes(os.urandom(3 << 20))
    (top / ("n" * 200)).write_bytes(b"pax")
    (top / "naïve 文件").write_bytes(b"pax")
    (top / "read-only").mkdir()
    (top / "read-only/file").write_bytes(b"")
    (top / "read-only/file").chmod(0o400)
    (top / "read-only").chmod(0o555)
    link(top / "link", "one.txt")
    link(top / "sub/deep/up", "../../one.txt")
    link(top / "sub/dangling", "./later")
    (top / "sub").chmod(0o750)
    top.chmod(0o700)
    return top


@pytest.mark.usefixtures("folder_kind")
@pytest.mark.parametrize("title", ["d", "a/b/c", "."])
@pytest.mark.parametrize("codec", ["gzip", "zstd", "none"])
def test_a_packed_folder_is_unpacked_unchanged(out: Path, tree: Path, title: str, codec: str) -> None:
    packed = PackedFolder.scan(str(tree), title)
    result = unpack(out, b"".join(packed.stream(codec_named(codec))), title, want=packed.tar_digest())
    assert snapshot(out / title) == snapshot(tree)
    assert result == Unpacked(files=6, folders=5, links=3 * len(on_posix(1)), size=packed.content_size)
    if title != ".":
        assert has_mode(out / title, 0o700)
    assert PackedFolder.scan(str(out / title), title).tar_digest() == packed.tar_digest() or title == "."


@pytest.mark.usefixtures("folder_kind")
def test_unpacking_again_changes_nothing(out: Path, tree: Path) -> None:
    (tree / "read-only").chmod(0o755)
    data = b"".join(PackedFolder.scan(str(tree), "d").stream())
    unpack(out, data)
    before = snapshot(out)
    unpack(out, data)
    assert snapshot(out) == before


@pytest.mark.usefixtures("folder_kind")
def test_merges_into_a_folder_that_exists(out: Path) -> None:
    (out / "d/sub").mkdir(parents=True)
    (out / "d/mine").write_bytes(b"mine")
    (out / "d/sub/a").write_bytes(b"old")
    (out / "d/sub").chmod(0o700)
    link(out / "d/link", "mine")
    newer = on_posix(symlink("d/link", "sub/a"))
    unpack(out, layer(folder("d"), *newer, member("d/new/b", b"b"), member("d/sub/a", b"new")))
    assert (out / "d/mine").read_bytes() == b"mine"
    assert (out / "d/sub/a").read_bytes() == b"new"
    assert (out / "d/new/b").read_bytes() == b"b"
    assert WINDOWS or os.readlink(out / "d/link") == "sub/a"
    assert has_mode(out / "d/sub", 0o700)
    assert sorted(os.listdir(out / "d")) == [*on_posix("link"), "mine", "new", "sub"]


def test_bare_members_are_written_below_the_title(out: Path) -> None:
    """regctl packs a folder without its name."""
    data = layer(folder("."), member("a", b"a"), folder("s"), member("./s/b", b"b"), *on_posix(symlink("l", "s/b")))
    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder("d/e"), max_size=100, bare=True) as extraction:
            extraction.read(io.BytesIO(data).read)
            extraction.commit()
    assert sorted(snapshot(out)) == ["d", "d/e", "d/e/a", *on_posix("d/e/l"), "d/e/s", "d/e/s/b"]
    for escape in (symlink("l", "../x"), member("../x", b"x"), member(".", b"x")):
        with Destination.open(str(out)) as destination, pytest.raises(UnsafeContentError):
            with Extraction(destination, safe_folder("d/e"), max_size=100, bare=True) as extraction:
                extraction.read(io.BytesIO(layer(escape)).read)


def test_an_empty_archive_makes_the_folder(out: Path) -> None:
    assert unpack(out, layer()) == Unpacked(0, 0, 0, 0)
    assert os.listdir(out) == ["d"]


@pytest.mark.parametrize("format_", ["gnu", "ustar", "pax", "v7"])
def test_reads_gnu_tar_padded_to_its_record(out: Path, tmp_path: Path, format_: str) -> None:
    """GNU tar pads to 10 KiB, and the digest covers the padding: https://github.com/oras-project/oras-go."""
    (tmp_path / "d/s").mkdir(parents=True)
    (tmp_path / "d/s/a").write_bytes(b"a")
    link(tmp_path / "d/l", "s/a")
    if format_ in ("gnu", "pax"):
        (tmp_path / "d" / ("n" * 200)).write_bytes(b"long")
        link(tmp_path / "d/ll", "n" * 200)
    tar = subprocess.run(["tar", "-cf", "-", f"--format={format_}", "d"], cwd=tmp_path, capture_output=True).stdout
    assert len(tar) % 10240 == 0
    unpack(out, gzip.compress(tar), want=digest(tar))
    assert snapshot(out / "d") == snapshot(tmp_path / "d")


def test_reads_gzip_of_several_members_byte_by_byte(out: Path) -> None:
    data = folder() + member("d/a", b"content") + bytes(1024)
    split = gzip.compress(data[:700]) + gzip.compress(b"") + gzip.compress(data[700:])
    stream = io.BytesIO(split)
    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder("d"), max_size=100, digest=digest(data)) as extraction:
            extraction.read(lambda _: stream.read(1))
            extraction.commit()
    assert (out / "d/a").read_bytes() == b"content"


def test_a_leading_dot_and_a_trailing_slash_are_dropped(out: Path) -> None:
    unpack(out, layer(member("./d/", kind=b"5"), member("./d/a", b"a"), member("d/old/", at_156=b"\x00")))
    assert set(snapshot(out)) == {"d", "d/a", "d/old"}


def test_special_bits_and_write_for_others_are_dropped(out: Path) -> None:
    before = os.umask(0)
    try:
        unpack(out, layer(member("d/x", b"x", mode=0o7777), member("d/s", kind=b"5", mode=0o7777)))
    finally:
        os.umask(before)
    assert {name: oct(found[1]) for name, found in snapshot(out / "d").items()} == {"x": "0o755", "s": "0o755"}


def test_harmless_records_are_ignored(out: Path) -> None:
    records = record("mtime", b"-1.5") + record("SCHILY.xattr.security.capability", b"\xff\x00") + record("uid", b"0")
    comment = extended(b"g", record("comment", b"0123"))
    unpack(out, layer(comment, extended(b"x", records), member("d/a", b"a")))
    assert snapshot(out / "d") == {"a": ("file", stat.S_IWUSR if WINDOWS else 0o644, b"a")}


# Hostile archives


@pytest.mark.parametrize(("parts", "why"), HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.usefixtures("folder_kind")
def test_refuses_hostile_archive(out: Path, parts: list[bytes], why: str) -> None:
    refuse(out, layer(member("d/first", b"first"), *parts), why)


def test_refuses_padding_without_end(out: Path) -> None:
    refuse(out, layer(member("d/first"), end=bytes(PADDING_LIMIT + 2000)), "after its end")


def test_refuses_wrong_checksum(out: Path) -> None:
    data = bytearray(member("d/a", b"x"))
    data[0] ^= 1
    refuse(out, layer(bytes(data)), "checksum")
    assert seal(bytes(data[:512])) != bytes(data[:512])


@pytest.mark.parametrize("cut", [1, 100, 511, 513, 1025, 1300])
def test_refuses_truncated_archive(out: Path, cut: int) -> None:
    data = folder() + extended(b"x", record("path", b"d/a")) + member("d/a", b"x" * 600)
    refuse(out, layer(data[:cut], end=b""), "ends")


def test_refuses_damaged_gzip(out: Path) -> None:
    data = layer(member("d/a", os.urandom(5000)))
    for damaged in (
        data[:-1],
        data[:-9],
        data[:2000],
        data + b"garbage",
        data + bytes(20),
        data[:-8] + bytes(8),
        data[:3],
    ):
        refuse(out, damaged, "damaged")


def test_refuses_damaged_zstd(out: Path) -> None:
    refuse(out, b"\x28\xb5\x2f\xfd" + bytes(100), "damaged")


@pytest.mark.parametrize("cut", [1, 20])
def test_refuses_zstd_that_ends_too_early(out: Path, tree: Path, cut: int) -> None:
    layer = b"".join(PackedFolder.scan(str(tree), "d").stream(codec_named("zstd")))
    refuse(out, layer[:-cut], "ends too early")


def test_the_digest_covers_padding_and_bytes_after_the_end(out: Path) -> None:
    tar = member("d/a", b"x") + bytes(1024)
    unpack(out, gzip.compress(tar + bytes(9000)), want=digest(tar + bytes(9000)))
    for other in (tar, tar + bytes(512)):
        refuse(out, gzip.compress(tar + bytes(9000)), "not what the artifact says", want=digest(other))
    padded = tar[:520] + b"hidden" + tar[526:]
    refuse(out, gzip.compress(padded), "not what the artifact says", want=digest(tar))
    unpack(out, gzip.compress(tar), want="sha512:" + __import__("hashlib").sha512(tar).hexdigest())


@pytest.mark.parametrize(
    "malformed", ["", "sha256:", "md5:" + "0" * 32, "sha256:" + "G" * 64, "sha256:" + "0" * 64 + "\n"]
)
def test_refuses_malformed_digest(out: Path, malformed: str) -> None:
    refuse(out, layer(), "malformed", want=malformed)


def test_the_size_limit_is_for_all_files_together(out: Path) -> None:
    data = layer(member("d/a", bytes(600)), member("d/b", bytes(600)))
    refuse(out, data, "1,200 bytes, and 1,199 are allowed", max_size=1199)
    assert unpack(out, data, max_size=1200).size == 1200
    assert size_limit(5) == 1 << 30
    assert size_limit(1 << 30) == 100 << 30


def test_headers_and_padding_have_a_limit_too(out: Path) -> None:
    data = layer(member("d/a"), bytes(2 << 20))
    refuse(out, data, "larger than allowed", max_size=0, header_allowance=1 << 20)


def test_a_bomb_does_not_fill_the_memory(out: Path) -> None:
    """100 MiB of zeros in 100 KiB: blocks stay small."""
    compressor = zlib.compressobj(9, zlib.DEFLATED, 31)
    data = b"".join(compressor.compress(bytes(1 << 20)) for _ in range(100)) + compressor.flush()
    import tracemalloc

    tracemalloc.start()
    refuse(out, layer(member("d/a"), end=b"") + data + b"x", "damaged")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20


@pytest.mark.usefixtures("free_space")
def test_refuses_a_folder_that_needs_more_than_the_free_space(out: Path) -> None:
    with pytest.raises(LocalFileError, match="not enough free space"):
        unpack(out, layer(member("d/a", bytes(1001))))
    assert os.listdir(out) == []


def test_entry_limits(out: Path) -> None:
    empty = [folder("d")] + [member(f"d/{number}") for number in range(100)]
    refuse(out, layer(*empty), "too many files", max_entries=100)
    assert unpack(out, layer(*empty), max_entries=101).files == 100
    refuse(out, layer(*[extended(b"g", b"")] * 301), "too many files", max_entries=100)
    refuse(out, layer(folder("d"), *[folder("d/s")] * 100), "too many files", max_entries=100)
    refuse(out, layer(member("d/" + "s/" * 62 + "a")), "too many files", max_entries=50)
    refuse(out, layer(member("d/" + "s/" * 63 + "a")), "more than 64 components")
    assert ENTRY_LIMIT == 100_000


# Files in the way


@pytest.mark.usefixtures("folder_kind")
@pytest.mark.parametrize(
    ("make", "parts"),
    [
        (lambda d: (d / "s").write_bytes(b"mine"), [member("d/s/a", b"x")]),
        (lambda d: (d / "a").mkdir(), [member("d/a", b"x")]),
        *on_posix(
            (lambda d: (d / "s").symlink_to(d.parent.parent), [member("d/s/a", b"x")]),
            (lambda d: (d / "a").symlink_to("../../outside"), [member("d/a", b"x")]),
            (lambda d: os.mkfifo(d / "a"), [member("d/a", b"x")]),
            (lambda d: (d / "a").write_bytes(b"mine"), [symlink("d/a", "first")]),
        ),
        (lambda d: (d / "s/t").mkdir(parents=True), [member("d/s/t", b"x")]),
    ],
)
@pytest.mark.timeout(5)
def test_a_file_in_the_way_is_named_before_anything_moves(out: Path, make: object, parts: list[bytes]) -> None:
    (out / "d").mkdir()
    (out / "d/first").write_bytes(b"old")
    make(out / "d")  # type: ignore[operator]
    before = sorted(os.listdir(out / "d"))
    with pytest.raises(LocalFileError, match="in the way") as caught:
        unpack(out, layer(member("d/first", b"new"), *parts))
    assert "--destination" in caught.value.hint
    assert (out / "d/first").read_bytes() == b"old"
    assert sorted(os.listdir(out / "d")) == before
    assert (out.parent / "outside").read_bytes() == b"precious"


@pytest.mark.usefixtures("folder_kind")
def test_the_folder_of_the_title_must_not_be_a_link(out: Path) -> None:
    (out.parent / "elsewhere").mkdir()
    (out / "d").symlink_to(out.parent / "elsewhere")
    for title in ("d", "d/e"):
        with pytest.raises(LocalFileError, match="symbolic link"):
            unpack(out, layer(member(f"{title}/a", b"x")), title)
    assert os.listdir(out.parent / "elsewhere") == []


def test_links_of_an_earlier_archive_are_not_followed(out: Path) -> None:
    """Together, two archives could leave the folder: CVE-2025-45582."""
    unpack(out, layer(member("d/p/x/keep"), symlink("d/p/l", "x"), symlink("d/up", "p")))
    with pytest.raises(LocalFileError, match="in the way"):
        unpack(out, layer(member("d/up/evil", b"x")))
    refuse(out, layer(symlink("d/p/l", "x/../../../outside")), "only allowed at the start")


@pytest.mark.usefixtures("folder_kind")
def test_nothing_has_its_final_name_before_commit(out: Path) -> None:
    data = layer(member("d/a", b"x"), *on_posix(symlink("d/l", "a")))
    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder("d"), max_size=9) as extraction:
            extraction.read(io.BytesIO(data).read)
            assert not (out / "d").exists()
        extraction.discard()
    assert os.listdir(out) == []


def test_a_failing_read_is_raised_and_leaves_nothing(out: Path) -> None:
    blocks = iter([layer(member("x/d/a", os.urandom(90_000)))[:50_000]])

    def read(_: int) -> bytes:
        found = next(blocks, None)
        if found is None:
            raise ConnectionResetError
        return found

    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder("x/d"), max_size=1 << 20) as extraction:
            with pytest.raises(ConnectionResetError):
                extraction.read(read)
    assert os.listdir(out) == []


def test_a_folder_that_another_pull_makes_meanwhile_is_merged_into(out: Path) -> None:
    with Destination.open(str(out)) as one, Destination.open(str(out)) as two:
        with (
            Extraction(one, safe_folder("d"), max_size=9) as first,
            Extraction(two, safe_folder("d"), max_size=9) as second,
        ):
            first.read(io.BytesIO(layer(member("d/a", b"1"), member("d/b", b"1"))).read)
            second.read(io.BytesIO(layer(member("d/a", b"2"), member("d/c", b"2"))).read)
            first.commit()
            second.commit()
    assert {name: found[2] for name, found in snapshot(out / "d").items()} == {"a": b"2", "b": b"1", "c": b"2"}


def test_a_folder_made_at_the_last_moment_is_merged_into(out: Path, before: Before) -> None:
    def make(*_arguments: object, **_folders: int) -> None:
        if not (out / "d").exists():
            (out / "d").mkdir()
            (out / "d/theirs").write_bytes(b"1")

    before(os, RENAME, make)
    unpack(out, layer(member("d/a", b"2")))
    assert sorted(os.listdir(out / "d")) == ["a", "theirs"]


def test_descriptors_are_closed(out: Path, tmp_path: Path) -> None:
    data = layer(*[member(f"d/{n}/{n}", b"x") for n in range(50)])
    unpack(out, data)
    unpack(out, data)
    with pytest.raises(UnsafeContentError):
        unpack(out, layer(member("d/x/y"), member("../evil")))
    with pytest.raises(DigestMismatchError):
        unpack(out, data, want="sha256:" + "0" * 64)
    assert open_below(tmp_path) == []


# Without overwriting


@pytest.mark.usefixtures("folder_kind")
@pytest.mark.parametrize("links", [True, False], ids=["", "no hard links"])
def test_without_overwrite_new_files_are_written(tmp_path: Path, links: bool, before: Before) -> None:
    if not links:
        before(os, "link", failing(errno.EPERM))
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        put(destination, "d/a", b"fetched")
        with Extraction(destination, safe_folder("f"), max_size=9) as extraction:
            extraction.read(io.BytesIO(layer(member("f/b", b"x"))).read)
            extraction.commit()
    assert {path.name: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == {
        "a": b"fetched",
        "b": b"x",
    }


@pytest.mark.usefixtures("folder_kind")
@pytest.mark.parametrize("there", ["f", "f/b"])
def test_without_overwrite_a_folder_that_was_made_meanwhile_stays(tmp_path: Path, there: str) -> None:
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        with Extraction(destination, safe_folder("f"), max_size=9) as extraction:
            extraction.read(io.BytesIO(layer(member("f/b", b"x"))).read)
            (tmp_path / "f").mkdir()
            if there != "f":
                (tmp_path / there).write_bytes(b"theirs")
            with pytest.raises(LocalFileError, match="A file of this name exists now"):
                extraction.commit()
    assert [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()] == (
        [] if there == "f" else [b"theirs"]
    )


@pytest.mark.usefixtures("folder_kind")
def test_without_overwrite_files_in_the_destination_itself_stay(tmp_path: Path) -> None:
    with Destination.open(str(tmp_path), overwrite=False) as destination:
        with Extraction(destination, safe_folder("."), max_size=9) as extraction:
            extraction.read(io.BytesIO(layer(member("a", b"x"))).read)
            (tmp_path / "a").write_bytes(b"theirs")
            with pytest.raises(LocalFileError, match="A file of this name exists now"):
                extraction.commit()
    assert (tmp_path / "a").read_bytes() == b"theirs"


# Any archive

paths = st.sampled_from(["d", "d/a", "d/A", "d/s/a", "../evil", "/evil", "e", "d/../e", "d/l/x", "./d/b", "d/l"])
targets = st.sampled_from(["a", "../outside", "..", ".", "s/../../x", "/etc", "s", "../d/a", "l/../..", "s/a"])
kinds = st.sampled_from([b"0", b"1", b"2", b"5", b"3", b"6", b"x", b"L", b"\x00"])
parts = st.builds(
    lambda path, target, kind, content: member(path, content, kind, link=target),
    paths,
    targets,
    kinds,
    st.binary(max_size=600),
)


@settings(derandomize=True, max_examples=100 if WINDOWS else 300, deadline=None)
@given(st.lists(parts, max_size=6), st.none() | st.tuples(st.integers(0, 3000), st.integers(1, 255)))
def test_no_archive_changes_anything_outside(
    tmp_path_factory, found: list[bytes], flip: tuple[int, int] | None
) -> None:
    top = tmp_path_factory.mktemp("any")
    out = top / "out"
    out.mkdir()
    (top / "outside").write_bytes(b"precious")
    data = bytearray(b"".join(found) + bytes(1024))
    if flip and flip[0] < len(data):
        data[flip[0]] ^= flip[1]
    with contextlib.suppress(RefusedError):
        unpack(out, bytes(data))
    assert sorted(os.listdir(top)) == ["out", "outside"]
    assert (top / "outside").read_bytes() == b"precious"
    assert set(os.listdir(out)) <= {"d"}
    for path in out.rglob("*"):
        assert path.resolve().is_relative_to(out / "d")
        assert WINDOWS or path.is_symlink() or not path.stat().st_mode & 0o7022


@pytest.mark.usefixtures("folder_kind")
def test_a_file_alone_may_have_the_title(out: Path) -> None:
    """ModelPack packs single files: https://github.com/modelpack/model-spec/blob/main/docs/spec.md."""
    unpack(out, layer(member("d", b"content", mode=0o755)))
    assert (out / "d").read_bytes() == b"content"
    assert has_mode(out / "d", 0o755)


@pytest.mark.usefixtures("folder_kind")
def test_an_archive_without_members_is_an_empty_folder(out: Path) -> None:
    unpack(out, layer())
    assert os.listdir(out / "d") == []


@pytest.mark.parametrize(("bare", "prefix"), [(False, "d/"), (False, "./d/"), (True, ""), (True, "./")])
def test_only_selected_members_are_unpacked(out: Path, bare: bool, prefix: str) -> None:
    """Read names that are not selected without checking them."""
    data = layer(member(f"{prefix}a.md", b"1"), member(f"{prefix}x/b.md", b"2"), member(f"{prefix}aux", b"3"))
    selection = Selection.of(include=["d/*.md"])
    found = unpack(out, data, bare=bare, selection=selection, want=digest(gzip.decompress(data)))
    assert (found.files, found.members) == (1, ("d/a.md",))
    assert [path.name for path in out.rglob("*")] == ["d", "a.md"]
