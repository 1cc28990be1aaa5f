"""The tar in a folder's layer has the same members as that of oras."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.interop.registry import Registry
from tests.interop.trees import make_tree


class Member(NamedTuple):
    """Everything that unpacking uses, except the time."""

    name: str
    kind: bytes
    mode: int
    uid: int
    gid: int
    owner: str
    group: str
    target: str
    content: bytes


@pytest.mark.parametrize("name", ["d", "."])
def test_the_members_equal_those_of_oras(azure: Registry, repository: str, work: Path, name: str) -> None:
    make_tree(work / "d")
    azure.oras(work, "push", azure.at(repository, "theirs"), name)
    azure.push(work, azure.at(repository, "ours"), "--file", name)
    assert _members(azure, work, azure.at(repository, "ours")) == _members(azure, work, azure.at(repository, "theirs"))


def test_the_bytes_do_not_depend_on_the_time(azure: Registry, repository: str, work: Path) -> None:
    make_tree(work / "d")
    first = azure.push(work, azure.at(repository, "first"), "--file", "d")
    (work / "d" / "one.txt").touch()
    second = azure.push(work, azure.at(f"{repository}-second", "second"), "--file", "d")
    assert first["digest"] == second["digest"]


def _members(azure: Registry, work: Path, reference: str) -> list[Member]:
    """Return all members in their order."""
    digest = azure.manifest(work, reference)["layers"][0]["digest"]
    repository = reference.rpartition(":")[0]
    layer = azure.oras(work, "blob", "fetch", "--output", "-", f"{repository}@{digest}").stdout
    with tarfile.open(fileobj=io.BytesIO(layer)) as archive:
        return [_member(archive, entry) for entry in archive.getmembers()]


def _member(archive: tarfile.TarFile, entry: tarfile.TarInfo) -> Member:
    file = archive.extractfile(entry) if entry.isfile() else None
    content = file.read() if file else b""
    owner = entry.uid, entry.gid, entry.uname, entry.gname
    return Member(entry.name, entry.type, entry.mode, *owner, entry.linkname, content)
