"""Indexes, both ways with oras."""

from __future__ import annotations

from pathlib import Path

from tests.interop.registry import Registry


def test_oras_pulls_a_platform_of_our_index(registry: Registry, repository: str, work: Path, out: Path) -> None:
    for where in ("linux/amd64", "linux/arm64", "windows/amd64"):
        (work / "tool.txt").write_text(where)
        registry.push(work, registry.at(repository), "--file", "tool.txt", "--platform", where)
    registry.oras(out, "pull", "--platform", "linux/arm64", registry.at(repository))
    assert (out / "tool.txt").read_text() == "linux/arm64"
    index = registry.manifest(work, registry.at(repository))
    assert [child["platform"]["os"] for child in index["manifests"]] == ["linux", "linux", "windows"]


def test_we_pull_a_platform_that_oras_pushed(registry: Registry, repository: str, work: Path, out: Path) -> None:
    for where in ("linux/riscv64", "linux/s390x"):
        (work / "tool.txt").write_text(where)
        tag = where.partition("/")[2]
        registry.oras(work, "push", "--artifact-platform", where, registry.at(repository, tag), "tool.txt")
    registry.oras(work, "manifest", "index", "create", registry.at(repository, "all"), "riscv64", "s390x")
    registry.pull(out, registry.at(repository, "all"), "--platform", "linux/s390x")
    assert (out / "tool.txt").read_text() == "linux/s390x"
    ended = registry.az(out, "pull", registry.at(repository, "all"), code=1)
    assert "linux/riscv64" in ended.stderr
