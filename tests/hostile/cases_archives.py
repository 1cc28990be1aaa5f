"""Archives of folders, when they are unpacked (R3, R4, R31, R32, R38)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.hostile import tars
from tests.hostile.case import REFUSES, Case, Right, either
from tests.hostile.cases_disk import linked, planted
from tests.hostile.site import GOOD, OLDER, Site, digest_of, manifest, site, titled, variant
from tests.hostile.tars import archive, file, folder, hard, header, link, long_name, pax

LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
UNPACK = "io.deis.oras.content.unpack"
CONTENT = "io.deis.oras.content.digest"
TIB = 1 << 40


@variant
def unpacked(
    made: Site,
    tar: bytes,
    *,
    title: str = "d",
    zipped: bytes | None = None,
    digest: str | None = None,
    mark: str = "true",
) -> None:
    """Make an artifact with `a.txt` and a folder *title* whose layer is *tar*."""
    marks = {UNPACK: mark, **({CONTENT: digest or digest_of(tar)} if digest or zipped is None else {})}
    layer = made.add(tars.zipped(tar) if zipped is None else zipped, LAYER, **titled(title, **marks))
    made.put(manifest([made.add(GOOD, **titled("a.txt")), layer]))


IN = folder("d")
REFUSED: Mapping[str, tuple[str, str, bytes]] = {
    "parent": ("R4", "a member is named ../evil.txt", archive(IN, file("d/../../evil.txt"))),
    "absolute": ("R4", "a member has an absolute name", archive(IN, file("/evil-of-hostile-tests.txt"))),
    "outside": ("R4", "a member is beside the folder", archive(IN, file("keep.txt"))),
    "sibling-prefix": ("R4", "a member's folder begins like the title", archive(IN, file("d2/evil.txt"))),
    "backslash": ("R1", "a member is named d\\..\\..\\evil.txt", archive(IN, file("d\\..\\..\\evil.txt"))),
    "drive": ("R1", "a member is named d/C:evil.txt", archive(IN, file("d/C:evil.txt"))),
    "device-name": ("R1", "a member is named d/nul", archive(IN, file("d/nul"))),
    "control": ("R1", "a member's name holds an escape", archive(IN, file("d/\x1b[2J"))),
    "not-utf8": ("R1", "a member's name is not UTF-8", archive(IN, file(b"d/\xff\xfe"))),
    "link-outside": ("R4", "a link leads out", archive(IN, link("d/l", "../../outside/secret.txt"))),
    "link-absolute": ("R4", "a link leads to /etc/passwd", archive(IN, link("d/l", "/etc/passwd"))),
    "link-inside-out": ("R4", "a link goes in and then out", archive(IN, link("d/l", "x/../../../outside"))),
    "link-to-parent": ("R4", "a link to the folder above", archive(IN, link("d/l", ".."))),
    "link-then-file": (
        "R4", "a link out, then a file through it",
        archive(IN, link("d/l", "../../outside"), file("d/l/evil.txt")),
    ),
    "link-inside-then-file": (
        "R4", "a link to a folder inside, then a file through it",
        archive(IN, folder("d/x"), link("d/l", "x"), file("d/l/evil.txt")),
    ),
    "link-chain": (
        "R4", "links that are inside one by one and lead out together",
        archive(IN, folder("d/a"), link("d/b", "a/.."), link("d/c", "b/.."), file("d/c/../../evil.txt")),
    ),
    "link-realpath": (
        "R4", "a path so long that resolving gives up (CVE-2025-4517)",
        archive(
            IN,
            *(folder("d/" + "/".join(["x" * 60] * depth)) for depth in range(1, 2)),
            link("d/" + "x" * 60 + "/l", "x" * 60 + "/" * 40 + "../../../outside"),
            file("d/" + "x" * 60 + "/l/evil.txt"),
        ),
    ),
    "link-replaced": ("R4", "a link, and a file of its name", archive(IN, link("d/l", "a"), file("d/l", b"evil"))),
    "folder-replaced": ("R4", "a folder, and a link of its name", archive(IN, folder("d/x"), link("d/x", "."))),
    "hard-outside": ("R4", "a hard link out", archive(IN, hard("d/h", "../outside/secret.txt"))),
    "hard-absolute": ("R4", "a hard link to /etc/passwd", archive(IN, hard("d/h", "/etc/passwd"))),
    "hard-inside": ("R4", "a hard link inside", archive(IN, file("d/a"), hard("d/h", "d/a"))),
    "device": ("R4", "a device", archive(IN, header("d/disk", kind=b"4"))),
    "character-device": ("R4", "a terminal", archive(IN, header("d/tty", kind=b"3"))),
    "fifo": ("R4", "a FIFO", archive(IN, header("d/pipe", kind=b"6"))),
    "contiguous": ("R4", "an unused type", archive(IN, header("d/odd", kind=b"7"))),
    "vendor-type": ("R4", "a vendor's own type", archive(IN, header("d/odd", kind=b"Z"))),
    "sparse": ("R3", "a sparse file of 8 TiB", archive(IN, header("d/s", b"\x80" + (8 * TIB).to_bytes(11, "big"), b"S"))),
    "sparse-pax": (
        "R3", "a sparse file by pax headers",
        archive(IN, pax(GNU__sparse__major="1", GNU__sparse__realsize=str(8 * TIB)), file("d/s")),
    ),
    "size-huge": ("R3", "a member that says it has 8 TiB", archive(IN, header("d/s", b"\x80" + (8 * TIB).to_bytes(11, "big")))),
    "size-pax": ("R3", "8 TiB by a pax header", archive(IN, pax(size=str(8 * TIB)), file("d/s"))),
    "size-negative": ("R3", "a negative size", archive(IN, header("d/s", b"\xff" * 12))),
    "size-text": ("R3", "a size that is no number", archive(IN, header("d/s", b"12x4"))),
    "pax-bomb": ("R3", "an extended header of 2 GiB", archive(IN, header("PaxHeader", (2 << 30) - 1, b"x"))),
    "long-name-bomb": ("R3", "a name of 1 GiB", archive(IN, header("././@LongLink", 1 << 30, b"L"))),
    "pax-path": ("R4", "a pax header gives the name ../evil.txt", archive(IN, pax(path="d/../../evil.txt"), file("d/ok"))),
    "pax-path-nul": ("R4", "a pax name with a zero byte", archive(IN, pax(path="d/a\x00/../../evil"), file("d/ok"))),
    "pax-global-path": ("R4", "a global header names all members", archive(IN, pax(b"g", path="../evil.txt"), file("d/ok"))),
    "pax-link": ("R4", "a pax header gives the link's target", archive(IN, pax(linkpath="/etc/passwd"), link("d/l", "ok"))),
    "long-name": ("R4", "a long name leads out", archive(IN, long_name("d/" + "x/" * 60 + "../" * 90 + "evil"), file("d/o"))),
    "deep": ("R3", "a path of 5,000 folders", archive(IN, pax(path="d/" + "x/" * 5000 + "f"), file("d/o"))),
    "duplicate": ("R13", "one name twice", archive(IN, file("d/x", b"1"), file("d/x", b"2"))),
    "file-and-folder": ("R13", "a file that is also a folder", archive(IN, file("d/x"), file("d/x/y"))),
    "checksum": ("R4", "a header whose checksum is wrong", archive(IN, header("d/x", checksum=1))),
    "cut": ("R12", "an archive that ends within a file", archive(IN, header("d/x", 9999), b"short", end=b"")),
    "hidden": ("R4", "members after the end", archive(IN, file("d/x")) + archive(file("d/../../evil.txt"))),
    "is-no-archive": ("R4", "text where an archive should be", b"hello " * 5000),
    "is-a-zip": ("R4", "a zip where an archive should be", b"PK\x03\x04" + bytes(2000)),
}  # fmt: skip

PLAIN = archive(IN, file("d/x.txt", b"inside"))
FOLDER = {"a.txt": GOOD, "d/x.txt": b"inside"}


def million() -> bytes:
    """Return an archive of far too many members."""
    numbers = range(110_000)
    return tars.zipped(IN) + tars.zipped(b"".join(header(f"d/{number:06}") for number in numbers))


def _planted_inside(folder: Path) -> None:
    (folder / "work" / "out" / "d").mkdir()
    (folder / "work" / "out" / "d" / "x.txt").symlink_to("../../../outside/secret.txt")


def _planted_file(folder: Path) -> None:
    (folder / "work" / "out" / "d").mkdir()
    (folder / "work" / "out" / "d" / "x.txt").write_bytes(OLDER)


def _bomb(count: int, each: int) -> Callable[[], Site]:
    size = count * each
    return unpacked(b"", zipped=tars.zipped(IN + header("d/bomb", size)) + tars.zeros(count, each))


def _jumping() -> Site:
    """Return a small folder whose members are deep, each in another branch than the one before it."""
    branches = ["d/" + f"{letter}/" * 60 for letter in "abcdefghijklmnopqrst"]
    members = [long_name(f"{branch}{number}") + header("x") for number in range(200) for branch in branches]
    return unpacked(archive(IN, *members))()


def _together(count: int, each: int) -> Callable[[], Site]:
    """Return a maker of one layer of *each* bytes under *count* titles."""

    def make() -> Site:
        made = site()
        layer = made.add(
            tars.zipped(header("f", each)) + tars.zeros(each >> 20, 1 << 20) + tars.zipped(bytes(1024)), LAYER
        )
        made.put(manifest([{**layer, **titled(f"d{number}/")} for number in range(count)]))
        return made

    return make


def _entries_together() -> Site:
    """Return one layer of 15,000 folders, each in its own header, under 8 titles."""
    made = site()
    layer = made.add(tars.zipped(archive(*(folder(f"{number:05}") for number in range(15_000)))), LAYER)
    made.put(manifest([{**layer, **titled(f"d{number}/")} for number in range(8)]))
    return made


def _zstd_windows(bits: int, count: int = 16) -> Callable[[], Site]:
    """Return a maker of *count* folders by zstd, each with a window of 2^*bits* bytes and as much content."""

    def make() -> Site:
        made = site()
        size = min(1 << bits, 32 << 20)
        head = b"\x28\xb5\x2f\xfd\x00" + bytes([(bits - 10) << 3])
        blocks = b"".join(_zstd_block(data) for data in (header("f", size), *[128 << 10] * (size >> 17), bytes(1024)))
        layer = head + blocks + b"\x01\x00\x00"
        layers = [{**made.add(layer, LAYER), **titled(f"d{number}/")} for number in range(count)]
        made.put(manifest(layers))
        return made

    return make


def _zstd_block(data: bytes | int) -> bytes:
    """Return a block (RFC 8878 §3.1.1.2): bytes as they are, or one byte that is repeated *data* times."""
    if isinstance(data, int):
        return (data << 3 | 2).to_bytes(3, "little") + b"\x00"
    return (len(data) << 3).to_bytes(3, "little") + data


EMPTY_FRAME = b"\x28\xb5\x2f\xfd\x20\x00\x01\x00\x00"
SIZED = {f"d{number}/f": bytes(8 << 20) for number in range(16)}

CASES = [
    *(Case(f"tar-{name}", requirement, does, unpacked(tar)) for name, (requirement, does, tar) in REFUSED.items()),
    Case("tar-bomb", "R3", "10 GiB of zeros in 10 MiB", _bomb(160, 64 << 20)),
    Case("tar-bomb-hidden", "R3", "a small member, then 10 GiB of zeros behind the archive's end",
         unpacked(b"", zipped=tars.zipped(PLAIN) + tars.zeros(160), digest=digest_of(PLAIN))),
    Case("tar-million", "R3", "110,000 members", lambda: unpacked(b"", zipped=million())(), slow=True),
    Case("tar-digest", "R12", "the archive does not match the digest in the artifact", unpacked(PLAIN, digest=digest_of(b"?"))),
    Case("tar-digest-malformed", "R12", "the archive's digest is no digest", unpacked(PLAIN, digest="sha256:../../evil")),
    Case("tar-gzip-cut", "R12", "the gzip ends early", unpacked(PLAIN, zipped=tars.zipped(PLAIN)[:-9])),
    Case("tar-gzip-garbage", "R4", "data after the gzip", unpacked(PLAIN, zipped=tars.zipped(PLAIN) + b"evil")),
    Case("tar-gzip-empty", "R4", "an empty layer", unpacked(b"", zipped=b""), either()),
    Case("tar-title-parent", "R1", "the folder's title leads out", unpacked(PLAIN, title="../d")),
    Case("tar-title-absolute", "R1", "the folder's title is absolute", unpacked(PLAIN, title="/evil-of-hostile-tests")),
    Case("tar-title-is-link", "R2", "the folder's name is a link out", unpacked(PLAIN), REFUSES, before=planted(linked("d", "../../outside/folder"))),
    Case("tar-member-is-link", "R2", "a member's name is a link out", unpacked(PLAIN), either(**FOLDER), before=_planted_inside),
    Case("tar-setuid", "R4", "a program with the setuid bit", unpacked(archive(IN, file("d/x.txt", b"inside", 0o6755))), either(**FOLDER)),
    Case("tar-sticky-world", "R4", "a folder that everybody can write", unpacked(archive(folder("d", 0o1777), file("d/x.txt", b"inside", 0o666))), either(**FOLDER)),
    Case("tar-empty-gzip", "R38", "a MiB of empty gzip members", unpacked(b"", zipped=tars.zipped(IN) + tars.zipped(b"") * (1 << 15) + tars.zipped(bytes(1024)))),
    Case("tar-empty-zstd", "R38", "a MiB of empty zstd frames", unpacked(b"", zipped=EMPTY_FRAME * (1 << 17))),
    Case("tar-jumping", "R32", "deep members, each in another branch than the one before it", _jumping),
    Case("tar-together", "R32", "one layer of 500 MiB under three titles", _together(3, 500 << 20)),
    Case("tar-entries-together", "R32", "one layer of 15,000 folders under eight titles", _entries_together, slow=True),
    Case("tar-zstd-window", "R31", "16 folders with zstd windows of 128 MiB", _zstd_windows(27)),
    Case("tar-zstd-window-16", "R31", "16 folders with zstd windows of 16 MiB", _zstd_windows(24)),
    Case("ok-tar-zstd-windows", "R31", "16 folders with zstd windows of 8 MiB", _zstd_windows(23), Right(SIZED)),
    Case("ok-tar", "R4", "a good folder", unpacked(PLAIN), Right(FOLDER)),
    Case("ok-tar-over", "R2", "a good folder over an older one", unpacked(PLAIN), Right(FOLDER), before=_planted_file),
    Case("ok-tar-padded", "R4", "a good archive that is padded to 10 KiB, as GNU tar does", unpacked(archive(IN, file("d/x.txt", b"inside"), end=bytes(10240 - 1536))), Right(FOLDER)),
    Case("ok-tar-link", "R4", "a good folder with a link inside", unpacked(archive(IN, file("d/x.txt", b"inside"), link("d/l", "x.txt"))), Right(FOLDER)),
    Case("ok-tar-members", "R4", "a good folder in two gzip members", unpacked(PLAIN, zipped=tars.zipped(PLAIN[:512]) + tars.zipped(PLAIN[512:])), Right(FOLDER)),
]  # fmt: skip
