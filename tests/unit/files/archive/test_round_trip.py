"""Packing and unpacking agree: what one accepts or refuses, the other does too."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrartifact.errors import LocalFileError, UnsafeContentError
from azext_acrartifact.files.archive.compression import codec_named
from azext_acrartifact.files.archive.extract import Extraction
from azext_acrartifact.files.archive.pack import PackedFolder
from azext_acrartifact.files.archive.tar_headers import END_OF_ARCHIVE, Header, encode
from azext_acrartifact.files.names import safe_folder
from azext_acrartifact.files.writing.destination import Destination
from tests.support.system import WINDOWS, on_posix
from tests.unit.files.conftest import snapshot

_plain = st.text("abé-" if WINDOWS else "abAB.é-", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
# Where the disk ignores case, a pull refuses both forms of a name together, which a push accepts.
_forms = ["caf\u00e9", *on_posix("cafe\u0301"), "\ufb01", "\u202e"]
_odd = st.sampled_from([*on_posix("NUL", "a.", "b ", "x:y", "a\\b", "\n", "x" * 255), *_forms])
_name = _plain | _plain | _plain | _odd
_target = st.sampled_from(["a", "..", "../a", "/a", "b/../..", ".", "a/b", "a:b", "../../a", "./a"])
_modes = st.sampled_from([0o644, 0o755, 0o4755, 0o666, 0o600])
_file = st.tuples(st.just("file"), st.binary(max_size=700), _modes)
_link = st.tuples(st.just("link"), _target, st.just(0o777))
_leaf = _file if WINDOWS else _file | _link
_top = st.dictionaries(_name, _leaf, max_size=4)
_tree = st.recursive(_top, lambda inner: st.dictionaries(_name, _leaf | inner, max_size=3), max_leaves=8)


def grow(folder: Path, tree: dict) -> None:
    """Make *tree* on the disk."""
    folder.mkdir()
    for name, what in tree.items():
        if isinstance(what, dict):
            grow(folder / name, what)
        elif what[0] == "link":
            (folder / name).symlink_to(what[1])
        else:
            (folder / name).write_bytes(what[1])
            (folder / name).chmod(what[2])


def written(path: str, tree: dict) -> bytes:
    """Return *tree* as an archive, without any check."""
    parts = [encode(Header(path, b"5", 0o755))]
    for name, what in tree.items():
        below = f"{path}/{name}"
        if isinstance(what, dict):
            parts.append(written(below, what))
        elif what[0] == "link":
            parts.append(encode(Header(below, b"2", 0o777, link=what[1])))
        else:
            parts.append(encode(Header(below, b"0", what[2], len(what[1]))) + what[1] + bytes(-len(what[1]) % 512))
    return b"".join(parts)


def unpack(out: Path, data: bytes, title: str) -> None:
    with Destination.open(str(out)) as destination:
        with Extraction(destination, safe_folder(title), max_size=1 << 20) as extraction:
            extraction.read(io.BytesIO(data).read)
            extraction.commit()


def harmless(found: dict[str, tuple[str, int, bytes]]) -> dict[str, tuple[str, int, bytes]]:
    """Return *found* as a pull writes it: without setuid and write for others."""
    return {name: (kind, mode & 0o755, content) for name, (kind, mode, content) in found.items()}


@settings(max_examples=20 if WINDOWS else 80)
@given(_tree, st.sampled_from(["d", ".", "a/b"]), st.sampled_from(["gzip", "none"]))
def test_a_packed_folder_is_unpacked_unchanged(
    tmp_path_factory: pytest.TempPathFactory, tree: dict, title: str, codec: str
) -> None:
    top = tmp_path_factory.mktemp("trip")
    source, arrived = top / "source", top / "out" / title
    grow(source, tree)
    if refuses(lambda: PackedFolder.scan(str(source), title)):
        return
    unpack(top / "out", b"".join(PackedFolder.scan(str(source), title).stream(codec_named(codec))), title)
    assert snapshot(arrived) == harmless(snapshot(source))
    packed_again = PackedFolder.scan(str(arrived), "again").tar_digest()
    assert packed_again == PackedFolder.scan(str(source), "again").tar_digest()


def refuses(action: Callable[[], object]) -> bool:
    """Return whether *action* raises LocalFileError or UnsafeContentError."""
    with contextlib.suppress(LocalFileError, UnsafeContentError):
        action()
        return False
    return True


@settings(max_examples=20 if WINDOWS else 120)
@given(_tree)
def test_push_and_pull_refuse_the_same(tmp_path_factory: pytest.TempPathFactory, tree: dict) -> None:
    top = tmp_path_factory.mktemp("both")
    grow(top / "source", tree)
    archive = gzip.compress(written("d", tree) + END_OF_ARCHIVE, 1)
    pushed = refuses(lambda: PackedFolder.scan(str(top / "source"), "d"))
    pulled = refuses(lambda: unpack(top / "out", archive, "d"))
    assert pushed == pulled
    assert os.path.lexists(top / "out/d") != pulled
