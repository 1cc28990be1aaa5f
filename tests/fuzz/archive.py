"""Read and unpack folder layers, beside a file that must not change."""

from __future__ import annotations

import contextlib
import io
import os
import stat
import tempfile
from pathlib import Path

from azext_acrartifact.errors import DigestMismatchError, LocalFileError, UnsafeContentError
from azext_acrartifact.files.archive import tar_format as tar
from azext_acrartifact.files.archive.extract import Extraction, Unpacked
from azext_acrartifact.files.archive.pack import PackedFolder
from azext_acrartifact.files.names import safe_folder
from azext_acrartifact.files.writing.destination import Destination
from tests.fuzz.shown import is_harmless
from tests.support.system import WINDOWS

TITLES = ("d", ".", "a/b", "d/")
MOST_BYTES, MOST_ENTRIES = 4096, 12
_PRECIOUS = b"precious"


def check(data: bytes) -> None:
    """Let the first byte choose the title, and whether checksums are corrected so that the code behind them is
    reached."""
    if not data:
        return
    title, bare, mend = TITLES[data[0] % 4], bool(data[0] & 4), not data[0] & 8
    layer = mended(data[1:]) if mend else data[1:]
    with tempfile.TemporaryDirectory() as top:
        out = Path(top) / "out"
        out.mkdir()
        (Path(top) / "outside").write_bytes(_PRECIOUS)
        try:
            unpacked = _unpack(out, layer, title, bare)
        except (UnsafeContentError, DigestMismatchError, LocalFileError) as error:
            assert is_harmless(error.message)
            assert os.listdir(out) == [], "refused, but a file was written"
        else:
            _is_bounded(out, unpacked)
            _can_be_packed_again(out)
        assert sorted(os.listdir(top)) == ["out", "outside"]
        assert (Path(top) / "outside").read_bytes() == _PRECIOUS


def _unpack(out: Path, layer: bytes, title: str, bare: bool) -> Unpacked:
    with Destination.open(str(out)) as destination:
        name = safe_folder(title)
        with Extraction(destination, name, max_size=MOST_BYTES, max_entries=MOST_ENTRIES, bare=bare) as extraction:
            unpacked = extraction.read(io.BytesIO(layer).read)
            extraction.commit()
    return unpacked


def _is_bounded(out: Path, unpacked: Unpacked) -> None:
    """Require only files, folders and links that stay inside, few and small, with harmless permissions."""
    found = list(out.rglob("*"))
    assert len(found) <= MOST_ENTRIES + 2, "a title of two folders comes on top"
    files = links = 0
    for path in found:
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            links += 1
            _stays_inside(path, out)
            continue
        assert stat.S_ISREG(status.st_mode) or stat.S_ISDIR(status.st_mode), path
        assert WINDOWS or not status.st_mode & 0o7022, oct(status.st_mode)
        if stat.S_ISREG(status.st_mode):
            files += 1
            assert status.st_nlink == 1
    assert (files, links) == (unpacked.files, unpacked.links)
    assert unpacked.size <= MOST_BYTES
    assert sum(path.lstat().st_size for path in found if path.is_file() and not path.is_symlink()) == unpacked.size


def _stays_inside(link: Path, out: Path) -> None:
    """Require that the system, following all links, stays inside."""
    target = os.readlink(link)
    assert not os.path.isabs(target)
    with contextlib.suppress(OSError):  # two links that lead to one another
        where = os.path.realpath(link, strict=False)
        assert where == str(out) or where.startswith(f"{out}{os.sep}"), (str(link), target)


def _can_be_packed_again(out: Path) -> None:
    """Require that a push accepts what a pull wrote. The archive itself may make files unreadable for their owner."""
    for path in out.rglob("*"):
        if not path.is_symlink() and path.is_dir():
            path.chmod(0o755)
    for path in out.rglob("*"):
        if not path.is_symlink() and path.is_file():
            path.chmod(0o644)
    assert b"".join(PackedFolder.scan(str(out), "again", mtime=0).blocks())


def mended(data: bytes) -> bytes:
    """Return *data* with the checksum and magic of each header corrected, parsed as loosely as any tar would."""
    whole, position = bytearray(data), 0
    while position + tar.BLOCK_SIZE <= len(whole):
        block = whole[position : position + tar.BLOCK_SIZE]
        if not any(block):
            break
        if block[tar.MAGIC] not in (tar.USTAR_MAGIC, tar.GNU_MAGIC, tar.V7_MAGIC):
            block[tar.MAGIC] = tar.USTAR_MAGIC
        block[tar.CHECKSUM] = b"%06o\x00 " % tar.checksum(bytes(block))
        whole[position : position + tar.BLOCK_SIZE] = block
        size = _size(bytes(block[tar.SIZE]))
        position += tar.BLOCK_SIZE + size + tar.padding(size)
    return bytes(whole)


def _size(text: bytes) -> int:
    digits = text.strip(b" \x00")
    return int(digits, 8) if digits.isdigit() and not set(digits) & set(b"89") else 0
