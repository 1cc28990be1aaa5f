"""Mounts of Azure Files and of FUSE, which refuse what a disk does: files come, are replaced, and go all the same."""

from __future__ import annotations

import errno
import os
import subprocess
from pathlib import Path

import pytest

from tests.transfer_faults.engine import SERVER
from tests.transfer_faults.processes import Processes, leftovers

SOURCE = Path(__file__).parents[1] / "support/mount.c"
NEW, OLD = b"new", b"old"
REFUSALS = {
    "azure-files": {"chmod": errno.EPERM, "link": errno.EPERM, "symlink": errno.EPERM},
    "fuse": {"chmod": errno.ENOSYS, "link": errno.ENOSYS, "fsync": errno.ENOSYS, "flock": errno.ENOSYS, "statvfs": 0},
    "object-store": {"chmod": errno.EOPNOTSUPP, "rename": errno.EPERM, "fsync": errno.EINVAL, "statvfs": errno.ENOSYS},
    "network": {"chmod": errno.EINVAL, "link": errno.EOPNOTSUPP, "flock": errno.ENOLCK, "rename": errno.EXDEV},
}


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the library that refuses calls below a folder."""
    built = tmp_path_factory.mktemp("mount") / "mount.so"
    subprocess.run(["gcc", "-shared", "-fPIC", "-Wall", "-Werror", "-o", built, SOURCE, "-ldl"], check=True)
    return built


def mounted(installed: Processes, library: Path, mount: Path, refusals: dict[str, int]) -> Processes:
    """Return an `az` whose current folder is *mount*, where the system refuses calls."""
    mount.mkdir()
    listed = ",".join(f"{name}={number}" for name, number in refusals.items())
    variables = {"LD_PRELOAD": str(library), "MOUNT": str(mount), "MOUNT_REFUSES": listed}
    return Processes(installed.emulator, installed.environment | variables, mount)


@pytest.mark.parametrize("kind", REFUSALS)
@pytest.mark.timeout(600)
def test_everything_works_on_a_mount(installed: Processes, library: Path, tmp_path: Path, kind: str) -> None:
    mount, artifact = tmp_path / "mount", f"{SERVER}/mounts/{kind}:1.0"
    az = mounted(installed, library, mount, REFUSALS[kind])
    (mount / "docs/deep").mkdir(parents=True)
    (mount / "docs/deep/a.md").write_bytes(NEW)
    (mount / "tool").write_bytes(os.urandom(5 << 20))
    az.ok("push", artifact, "--file", "docs", "tool")
    az.ok("pull", artifact, "--destination", "out")
    for name in ("docs/deep/a.md", "tool"):
        assert (mount / "out" / name).read_bytes() == (mount / name).read_bytes()
        (mount / "out" / name).write_bytes(OLD)
    az.ok("pull", artifact, "--destination", "out")
    assert (mount / "out/docs/deep/a.md").read_bytes() == NEW
    az.ok("pull", artifact, "--destination", "new", "--no-overwrite")
    for form in ("saved", "saved.tar"):
        az.ok("backup", artifact, "--destination", form)
        (mount / "tool").write_bytes(os.urandom(9))
        az.ok("push", f"{artifact}-{form}", "--file", "tool")
        az.ok("backup", f"{artifact}-{form}", "--destination", form)
        az.ok("restore", f"{SERVER}/mounts/{kind}-{form}:2.0", "--source", form, "--source-tag", f"1.0-{form}")
    assert leftovers([mount]) == []


def test_a_mount_without_links_says_so(installed: Processes, library: Path, tmp_path: Path) -> None:
    artifact = f"{SERVER}/mounts/links:1.0"
    az = mounted(installed, library, tmp_path / "mount", {"symlink": errno.EPERM})
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs/link").symlink_to("a.md")
    Processes(az.emulator, installed.environment, tmp_path).ok("push", artifact, "--file", "docs")
    ended = az.artifact("pull", artifact).end()
    assert (ended.code, ended.stdout, leftovers([tmp_path])) == (1, "", [])
    assert "Choose a folder whose file system has symbolic links, with --destination, or leave it out" in ended.stderr
