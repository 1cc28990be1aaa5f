"""Layout of a tar header block.

POSIX.1-2017, pax, "ustar Interchange Format"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

BLOCK_SIZE = 512
ZERO_BLOCK = bytes(BLOCK_SIZE)

NAME = slice(0, 100)
MODE = slice(100, 108)
SIZE = slice(124, 136)
CHECKSUM = slice(148, 156)
TYPE = slice(156, 157)
LINK_NAME = slice(157, 257)
MAGIC = slice(257, 265)
PREFIX = slice(345, 500)

USTAR_MAGIC = b"ustar\x0000"
GNU_MAGIC = b"ustar  \x00"
V7_MAGIC = bytes(8)

REGULAR = b"0"
REGULAR_V7 = b"\x00"
SYMLINK = b"2"
DIRECTORY = b"5"
PAX = b"x"
PAX_GLOBAL = b"g"
GNU_LONG_NAME = b"L"
GNU_LONG_LINK = b"K"

ENTRY_LIMIT = 100_000
"""Members of one archive, packed or unpacked."""


def padding(size: int) -> int:
    """Return the number of bytes from *size* to the next whole block."""
    return -size % BLOCK_SIZE


def checksum(block: bytes) -> int:
    """Return the sum of a header's bytes, with the checksum itself taken as blanks."""
    return sum(block) - sum(block[CHECKSUM]) + 8 * 0x20
