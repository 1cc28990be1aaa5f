"""Indexes, both ways with oras."""

from __future__ import annotations

from pathlib import Path

from tests.interop.place import Place


def test_oras_pulls_a_platform_of_our_index(place: Place, repository: str, work: Path, out: Path) -> None:
    for where in ("linux/amd64", "linux/arm64", "windows/amd64"):
        (work / "tool.txt").write_text(where)
        place.push(work, place.at(repository), "--file", "tool.txt", "--platform", where)
    place.oras(out, "pull", "--platform", "linux/arm64", place.at(repository))
    assert (out / "tool.txt").read_text() == "linux/arm64"
    index = place.manifest(work, place.at(repository))
    assert [child["platform"]["os"] for child in index["manifests"]] == ["linux", "linux", "windows"]


def test_we_pull_a_platform_that_oras_pushed(place: Place, repository: str, work: Path, out: Path) -> None:
    for where in ("linux/riscv64", "linux/s390x"):
        (work / "tool.txt").write_text(where)
        tag = where.partition("/")[2]
        place.oras(work, "push", "--artifact-platform", where, place.at(repository, tag), "tool.txt")
    place.oras(work, "manifest", "index", "create", place.at(repository, "all"), "riscv64", "s390x")
    place.pull(out, place.at(repository, "all"), "--platform", "linux/s390x")
    assert (out / "tool.txt").read_text() == "linux/s390x"
    ended = place.az(out, "pull", place.at(repository, "all"), code=1)
    assert "linux/riscv64" in ended.stderr
