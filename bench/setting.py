"""The setting of a run: a scratch folder, certificates, the extension, and the environment of all clients."""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.certificates import Certificates
from bench.process import CommandFailed
from devtools import environment, peers, wheel

SHARED_MEMORY = Path("/dev/shm")
ROOM = 8 << 30
"""Bytes that the largest workload needs: files, the registry's copy, crane's layout, the pulled files, and reserve."""


@dataclass(frozen=True)
class Setting:
    """Folders, certificates and *variables*, the environment of all clients and of the service."""

    scratch: Path
    """In memory, if there is room. Has the files of most cases, and the service's content."""
    certificates: Certificates
    variables: dict[str, str]
    in_memory: bool
    disk: Path | None = None
    """Has the files of the cases on a disk."""

    def files(self, *, on_disk: bool) -> Path:
        """Return the folder for the files of a case."""
        return self.disk if on_disk and self.disk else self.scratch


@contextlib.contextmanager
def opened(given: Path | None, disk: Path | None = None) -> Iterator[Setting]:
    """Make a setting with the wheel *given* or built now, and delete it at the end; raise `CommandFailed`."""
    in_memory = SHARED_MEMORY.is_dir() and shutil.disk_usage(SHARED_MEMORY).free >= ROOM
    with contextlib.ExitStack() as temporary:
        scratch = _temporary(temporary, SHARED_MEMORY if in_memory else None)
        certificates = Certificates.make(scratch)
        variables = _variables(scratch, certificates)
        with tempfile.TemporaryDirectory() as dist:
            _install(given or wheel.build(Path(dist)), variables)
        yield Setting(scratch, certificates, variables, in_memory, _temporary(temporary, disk) if disk else None)


def _temporary(until: contextlib.ExitStack, folder: Path | None) -> Path:
    return Path(until.enter_context(tempfile.TemporaryDirectory(prefix="bench-", dir=folder)))


def _variables(scratch: Path, certificates: Certificates) -> dict[str, str]:
    home = scratch / "home"
    home.mkdir()
    return {
        **environment.clean(),
        "PATH": peers.path(),
        "HOME": str(home),
        "XDG_CACHE_HOME": str(home / "cache"),
        "DOCKER_CONFIG": str(home / "docker"),
        "REGCTL_CONFIG": str(home / "regctl.json"),
        "SSL_CERT_FILE": str(certificates.authority),
        "REQUESTS_CA_BUNDLE": str(certificates.authority),
        "PYTHONUTF8": "1",
        "AZURE_CONFIG_DIR": str(home / "azure"),
        "AZURE_EXTENSION_DIR": str(home / "extensions"),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_NO_COLOR": "yes",
    }


def _install(path: Path, variables: dict[str, str]) -> None:
    """Run `az extension add`, then each kind of command once, which writes az's indexes and Python's caches."""
    az = [sys.executable, "-m", "azure.cli"]
    first = [*az, "extension", "add", "--source", str(path), "--yes"]
    for argv in (first, [*az, "version"], [*az, "acr", "artifact", "push", "--help"]):
        quiet = {**variables, "PIP_NO_INDEX": "1"}
        done = subprocess.run(argv, env=quiet, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if done.returncode:
            raise CommandFailed(f"{' '.join(argv[2:])} ended with {done.returncode}:\n{done.stderr}")
