"""The files to push, made of seeded random bytes so that every run of the bench moves the same ones."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass
from pathlib import Path

KIB, MIB = 1 << 10, 1 << 20
_BLOCK = 4 * MIB
_WORDS = 4096


@dataclass(frozen=True)
class Shape:
    """*count* files of *size* bytes; if *packed*, they are pushed as one folder, and half of them compress well. Ours
    pushes a file in parts of *part_size*, if any."""

    title: str
    count: int
    size: int
    packed: bool = False
    part_size: str = ""

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return self.count * self.size


LARGE = Shape("one file of 1 GiB", 1, 1024 * MIB)
IN_PARTS = Shape("one file of 1 GiB, ours in parts of 64 MiB", 1, 1024 * MIB, part_size="64M")
SMALL = Shape("2,000 files of 4 KiB", 2000, 4 * KIB)
MEDIUM = Shape("20 files of 50 MiB", 20, 50 * MIB)
QUARTERS = Shape("200 files of 256 KiB", 200, 256 * KIB)
TINY = Shape("one file of 3 KB", 1, 3000)
FOLDER = Shape("a folder of 5,000 files, 500 MiB", 5000, 100 * KIB, packed=True)

SHORT = {
    LARGE: Shape("one file of 64 MiB", 1, 64 * MIB),
    IN_PARTS: Shape("one file of 64 MiB, ours in parts of 8 MiB", 1, 64 * MIB, part_size="8M"),
    SMALL: Shape("200 files of 4 KiB", 200, 4 * KIB),
    QUARTERS: Shape("100 files of 256 KiB", 100, 256 * KIB),
    TINY: TINY,
    FOLDER: Shape("a folder of 200 files, 20 MiB", 200, 100 * KIB, packed=True),
}
"""The smaller shapes of the short form."""


@dataclass(frozen=True)
class Tree:
    """The files of *shape* in *folder*; *arguments* are the names to push."""

    shape: Shape
    folder: Path
    arguments: tuple[str, ...]

    def difference(self, pulled: Path) -> str | None:
        """Return how the files in *pulled* differ, by name and size, or None."""
        wanted, found = _sizes(self.folder), _sizes(pulled)
        if wanted == found:
            return None
        return f"{len(found)} files of {sum(found.values())} bytes instead of {len(wanted)} of {self.shape.total}"


def make(shape: Shape, folder: Path) -> Tree:
    """Write the files of *shape* into the new *folder*."""
    inside = folder / "packed" if shape.packed else folder
    inside.mkdir(parents=True)
    source = random.Random(shape.title)
    words = [source.randbytes(4).hex()[: source.randint(2, 8)] for _ in range(_WORDS)]
    names = [f"file-{number:04}.bin" for number in range(shape.count)]
    for number, name in enumerate(names):
        where = inside / f"part-{number % 50:02}" if shape.packed else inside
        where.mkdir(exist_ok=True)
        if shape.packed and number % 2:
            (where / name).write_bytes(_text(source, words, shape.size))
        else:
            _random_file(where / name, source, shape.size)
    return Tree(shape, folder, ("packed",) if shape.packed else tuple(names))


def _random_file(file: Path, source: random.Random, size: int) -> None:
    with open(file, "wb") as output:
        for start in range(0, size, _BLOCK):
            output.write(source.randbytes(min(_BLOCK, size - start)))


def _text(source: random.Random, words: list[str], size: int) -> bytes:
    chosen = source.choices(words, k=size // 4)
    return " ".join(chosen).encode()[:size].ljust(size)


def _sizes(folder: Path) -> dict[str, int]:
    return {
        os.path.relpath(os.path.join(where, name), folder): os.path.getsize(os.path.join(where, name))
        for where, _, names in os.walk(folder)
        for name in names
    }
