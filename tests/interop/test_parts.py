"""Files in parts with oras, regctl and skopeo: they see parts that `cat` joins, and copy the artifact unchanged."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from tests.interop.registry import Registry

CONTENT = random.Random(11).randbytes(9 << 20)
HOLE = bytes(8 << 20)


@pytest.fixture
def pushed(registry: Registry, repository: str, work: Path) -> str:
    """Push a file of three parts, and one of two equal ones; return the artifact's digest."""
    (work / "disk.img").write_bytes(CONTENT)
    (work / "hole").write_bytes(HOLE)
    digest: str = registry.push(
        work, registry.at(repository), "--file", "disk.img", "hole", "--part-size", "4M"
    )["digest"]  # fmt: skip
    return digest


@pytest.mark.usefixtures("pushed")
@pytest.mark.parametrize("client", ["oras", "regctl"])
def test_cat_joins_the_parts_that_others_pull(registry: Registry, repository: str, out: Path, client: str) -> None:
    if client == "oras":
        registry.oras(out, "pull", registry.at(repository))
    else:
        registry.regctl(out, "artifact", "get", "--output", str(out), registry.at(repository))
    assert sorted(path.name for path in out.iterdir())[:2] == [
        "disk.img.part-00001-of-00003",
        "disk.img.part-00002-of-00003",
    ]
    subprocess.run("cat disk.img.part-* > disk.img && cat hole.part-* > hole", shell=True, cwd=out, check=True)
    assert (out / "disk.img").read_bytes() == CONTENT
    assert (out / "hole").read_bytes() == HOLE


@pytest.mark.parametrize("client", ["regctl", "skopeo", "oras"])
def test_a_copy_by_others_is_pulled_as_the_file(
    registry: Registry, repository: str, pushed: str, work: Path, out: Path, client: str
) -> None:
    source, target = registry.at(repository), registry.at(f"{repository}-copy")
    if client == "regctl":
        registry.regctl(work, "image", "copy", source, target)
    elif client == "skopeo":
        registry.skopeo(work, "copy", f"docker://{source}", f"docker://{target}")
    else:
        registry.oras(work, "cp", source, target)
    pulled = registry.pull(out, target)
    assert (pulled["digest"], [file["parts"] for file in pulled["files"]]) == (pushed, [3, 2])
    assert (out / "disk.img").read_bytes() == CONTENT
    assert (out / "hole").read_bytes() == HOLE
