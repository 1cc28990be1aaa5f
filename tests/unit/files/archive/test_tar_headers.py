"""Headers for sizes and names that ustar cannot hold."""

import io
import tarfile

import pytest

from azext_acrartifact.files.archive.tar_format import SYMLINK
from azext_acrartifact.files.archive.tar_headers import Header, encode


def test_a_file_beyond_8_gib_has_its_size_in_a_record() -> None:
    size = 8**11
    block = encode(Header("big", b"0", 0o644, size))
    assert tarfile.TarInfo.frombuf(block[1024:], "utf-8", "strict").size == 0
    assert b"19 size=8589934592\n" in block
    assert len(encode(Header("big", b"0", 0o644, size - 1))) == 512


@pytest.mark.parametrize("length", [80, 84, 85, 86, 87, 88, 980, 990, 991, 992, 993])
def test_pax_records_count_themselves(length: int) -> None:
    path = "é" + "x" * length
    data = encode(Header(path, SYMLINK, 0o777, link="t")) + bytes(1024)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        (member,) = archive.getmembers()
    assert (member.name, member.linkname) == (path, "t")
