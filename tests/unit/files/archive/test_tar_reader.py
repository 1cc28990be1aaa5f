"""Archives read header by header: accepted and refused headers, and the exact end of each member."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import UnsafeContentError
from azext_acrartifact.files.archive.decompress import InflatedStream, inflated
from azext_acrartifact.files.archive.tar_format import DIRECTORY, REGULAR, SYMLINK
from azext_acrartifact.files.archive.tar_headers import END_OF_ARCHIVE, Header, encode
from azext_acrartifact.files.archive.tar_reader import EXTENSION_LIMIT, PADDING_LIMIT, Member, TarReader
from tests.unit.files.archive.archives import extended, folder, member, record, seal, symlink

END = END_OF_ARCHIVE
NUMBER_LIMIT = 2**63 - 1


def members(*parts: bytes, entries: int = 100) -> list[tuple[Member, bytes]]:
    """Return the members of the archive *parts*, to which no end is added."""
    reader = TarReader(InflatedStream(inflated(io.BytesIO(b"".join(parts)).read), 1 << 30), entries)
    return [(found, b"".join(map(bytes, reader.content(found)))) for found in reader]


def refused(why: str, *parts: bytes) -> None:
    with pytest.raises(UnsafeContentError) as caught:
        members(*parts)
    assert why in caught.value.message


def test_the_end_of_an_archive_may_be_missing() -> None:
    """Accept archives of writers that leave out one or both blocks of zeros."""
    for end in (b"", bytes(512), END, END + bytes(9000)):
        assert [found.path for found, _ in members(member("d/a", b"x"), end)] == ["d/a"]
    assert members(b"") == members(END) == []


class Zeros:
    """A `TarStream` of *count* zeros."""

    def __init__(self, count: int) -> None:
        self.left = count

    def read_exactly(self, count: int) -> bytes:
        """Return *count* zeros."""
        return bytes(self.read_block(count))

    def read_block(self, most: int) -> memoryview:
        """Return at most *most* zeros."""
        count = min(most, self.left)
        self.left -= count
        return memoryview(bytes(count))


def test_the_padding_after_the_end_has_a_limit() -> None:
    assert PADDING_LIMIT == 16 << 20
    assert list(TarReader(Zeros(512 + PADDING_LIMIT), 9)) == []
    endless = Zeros(1 << 40)
    with pytest.raises(UnsafeContentError, match="content after its end"):
        next(iter(TarReader(endless, 9)))
    assert endless.left >= (1 << 40) - PADDING_LIMIT - (2 << 20)


@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ([member("d/a", b"x" * 600)[:700]], "ends within a file"),
        ([member("d/a", b"x" * 512)[:1000]], "ends within a file"),
        ([member("d/a", b"hello")[:-1]], "ends within a file"),
        ([member("d/a", b"hello")[: 512 + 5]], "ends within a file"),
        ([member("d/a", b"hello")[:512]], "ends within a file"),
        ([member("d/a")[:511]], "ends within a header"),
        ([extended(b"x", b"", declared=512)], "ends within a header"),
        ([extended(b"x", b"", declared=100)], "ends within a header"),
        ([extended(b"x", record("comment", b"1"))[:-1]], "ends within a file"),
        ([extended(b"x", record("comment", b"1"))], "ends after an extended header"),
        ([extended(b"L", b"d/a\0"), END], "ends after an extended header"),
        ([member("d/a"), END, b"\0" * 512 + b"x"], "content after its end"),
        ([member("d/a"), bytes(512), member("d/b")], "content after its end"),
        ([bytes(511) + b"x"], "checksum"),
        ([member("d/a"), bytes(100)], "ends within a header"),
    ],
)
def test_truncated_archives_and_trailing_data_are_damaged(parts: list[bytes], why: str) -> None:
    refused(why, *parts)


@pytest.mark.parametrize(
    ("field", "why"),
    [
        ({"at_124": b"\x80" + (NUMBER_LIMIT + 1).to_bytes(11, "big")}, "size of a member is out of range"),
        ({"at_124": b"\xff" * 12}, "size of a member is out of range"),
        ({"at_124": b"\xc0" + bytes(11)}, "size of a member is out of range"),
        ({"at_124": b"00000000008\0"}, "size of a member is not a number"),
        ({"at_124": b"-0000000001\0"}, "size of a member is not a number"),
        ({"at_124": b"0000 000001\0"}, "size of a member is not a number"),
        ({"at_124": b"0x000000001\0"}, "size of a member is not a number"),
        ({"at_100": b"\x80" + bytes(3) + b"\xff" * 4, "at_257": b"ustar\099"}, "unknown format"),
        ({"at_100": b"000064x\0"}, "mode of a member is not a number"),
        ({"at_100": b"\xff" * 8}, "mode of a member is out of range"),
        ({"at_257": b"ustar\0\0\0"}, "unknown format"),
        ({"at_257": b"ustar \0\0"}, "unknown format"),
        ({"at_156": b"5", "at_124": b"00000000001\0"}, "folder or link has content"),
        ({"at_156": b"2", "at_124": b"00000000001\0"}, "folder or link has content"),
    ],
)
def test_a_malformed_header_is_damaged(field: dict[str, bytes], why: str) -> None:
    refused(why, member("d/a", b"", **field))


@pytest.mark.parametrize(
    "size", [b"", b"-1", b"+1", b"01", b"1 ", b"0x1", b"1_0", b"\xd9\xa1", b"9" * 20, b"%d" % 2**63]
)
def test_a_malformed_pax_size_is_damaged(size: bytes) -> None:
    refused("not a number, or out of range", extended(b"x", record("size", size)), member("d/a", b"x"))


@pytest.mark.parametrize("digits", [b"9" * 19, b"9" * 5000])
def test_a_pax_size_of_too_many_digits_is_damaged(digits: bytes) -> None:
    refused("not a number, or out of range", extended(b"x", record("size", digits)), member("d/a", b"x"))


def test_the_largest_pax_size_is_read() -> None:
    data = extended(b"x", record("size", b"%d" % NUMBER_LIMIT)) + member("d/a")
    assert next(iter(TarReader(InflatedStream(inflated(io.BytesIO(data).read), 9999), 9))).size == NUMBER_LIMIT


def test_blank_padded_and_base_256_numbers_are_read() -> None:
    blank = members(member("d/a", at_100=bytes(8)))[0][0]
    spaces = members(member("d/a", b"xy", at_100=b"   644 \0", at_124=b"          2 "))[0]
    assert (blank.mode, spaces[0].mode, spaces[1]) == (0, 0o644, b"xy")
    base256 = members(member("d/a", b"xyz", at_124=b"\x80" + bytes(10) + b"\x03"))
    assert base256[0][1] == b"xyz"
    reader = TarReader(
        InflatedStream(
            inflated(io.BytesIO(member("d/a", at_124=b"\x80" + b"\0" * 3 + b"\x7f" + b"\xff" * 7)).read), 9999
        ),
        9,
    )
    assert next(iter(reader)).size == NUMBER_LIMIT


def test_the_extended_headers_of_a_member_have_a_limit_together() -> None:
    room = EXTENSION_LIMIT - len(record("comment", b"x" * 60_000)) + 60_000
    assert len(record("comment", b"x" * room)) == EXTENSION_LIMIT
    assert members(extended(b"x", record("comment", b"x" * room)), member("d/a"))
    refused("too long", extended(b"x", record("comment", b"x" * (room + 1))), member("d/a"))
    half = extended(b"g", record("comment", b"x" * 40_000))
    assert members(half, half, half, member("d/a")), "global headers do not count for any member"


def test_headers_have_a_limit_together() -> None:
    comment = extended(b"g", record("comment", b"1"))
    assert len(members(*[comment] * 4, member("d/a"), member("d/b"), entries=2)) == 2
    with pytest.raises(UnsafeContentError, match="too many files"):
        members(*[comment] * 5, member("d/a"), member("d/b"), entries=2)
    with pytest.raises(UnsafeContentError, match="too many files"):
        members(member("d/a"), member("d/b"), member("d/c"), entries=2)


def test_folders_are_recognized_by_type_or_by_their_slash() -> None:
    old = members(member("d/old/", at_156=b"\0"), member("d/new//", kind=b"5"), member("d/s/", kind=b"0"))
    assert [(found.path, found.type) for found, _ in old] == [
        ("d/old", DIRECTORY),
        ("d/new", DIRECTORY),
        ("d/s", DIRECTORY),
    ]
    (link, _) = members(symlink("d/l/", "x"))[0]
    assert (link.path, link.type) == ("d/l/", SYMLINK), "safe_name refuses it"


def test_irrelevant_header_values_are_ignored() -> None:
    """Ignore a file's link name, and the times that GNU tar stores where ustar has the prefix."""
    assert members(member("d/a", b"x", at_157=b"\xff\xfe"))[0][0].link == ""
    assert members(member("d/a", b"x", at_257=b"ustar  \0", at_345=b"00000000012"))[0][0].path == "d/a"
    assert members(member("a", b"x", at_345=b"p/q"))[0][0].path == "p/q/a"
    assert members(member("d/a\0b"))[0][0].path == "d/a"


@pytest.mark.parametrize(
    "data",
    [
        b"6 a=b",
        b"6 a=b\n\n",
        b"x a=b\n",
        b"06 a=b\n",
        b"07 a=b\n",
        b"6x a=b\n",
        b"6 a=bc",
        b"7 a=b\n",
        b"6 a=b\n2\n",
        b"-6 a=b\n",
        b"4 =b\n",
        b"5 =b\n",
        b"5 ab\n",
        b"2 \n",
        b"3 a\n",
        b"0 a=b\n",
        b"99999999 a=b\n",
        b"999999999999 a=b\n",
        b" 6 a=b\n",
        b"6",
        record("linkpath", b"a\0b"),
        record("path", b"a\0b"),
    ],
)
def test_a_malformed_pax_record_is_damaged(data: bytes) -> None:
    refused("malformed", extended(b"x", data), member("d/a"))


def test_names_must_be_utf8_and_no_record_can_change_that() -> None:
    assert members(extended(b"x", record("hdrcharset", b"ISO-IR 10646 2000 UTF-8")), member("d/a"))
    refused("not UTF-8", extended(b"x", record("hdrcharset", b"BINARY")), member("d/a"))


def test_a_pax_record_may_be_empty() -> None:
    assert members(extended(b"x", b"5 a=\n"), member("d/a"))


_name = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=120).filter(lambda n: n[-1] != "/")
_kinds = st.sampled_from([REGULAR, DIRECTORY, SYMLINK])


@given(st.lists(st.tuples(_name, _kinds, st.integers(0, 0o777), _name, st.binary(max_size=600)), max_size=5))
def test_written_headers_are_read_again(headers: list[tuple[str, bytes, int, str, bytes]]) -> None:
    written, expected = [], []
    for path, kind, mode, target, data in headers:
        link, content = (target if kind == SYMLINK else ""), (data if kind == REGULAR else b"")
        written.append(encode(Header(path, kind, mode, len(content), link)) + content + bytes(-len(content) % 512))
        expected.append((Member(path, kind, mode, len(content), link), content))
    assert members(*written, END) == expected


@given(st.binary(max_size=512), st.integers(0, 511), st.binary(min_size=1, max_size=30))
def test_any_header_is_read_or_refused(content: bytes, offset: int, noise: bytes) -> None:
    whole = bytearray(member("d/a", content) + folder("d/b") + END)
    whole[offset : offset + len(noise)] = noise
    for data in (bytes(whole), seal(bytes(whole[:512])) + bytes(whole[512:])):
        try:
            found = members(data)
        except UnsafeContentError:
            continue
        assert all(item.size == len(body) for item, body in found)
