"""The other tools at pinned versions: by `go install`, from a few lines of our own, or from Debian."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path
from typing import NamedTuple

from devtools import environment, steps


class Peer(NamedTuple):
    """A program and the Go module version that it is installed from."""

    program: str
    module: str
    version: str


GO_PEERS = (
    Peer("oras", "oras.land/oras/cmd/oras", "v1.3.6"),
    Peer("crane", "github.com/google/go-containerregistry/cmd/crane", "v0.22.1"),
    Peer("regctl", "github.com/regclient/regclient/cmd/regctl", "v0.11.7"),
    Peer("registry", "github.com/distribution/distribution/v3/cmd/registry", "v3.1.2"),
)
BUILT = {"notation-go": steps.ROOT / "tests" / "interop" / "notation"}
"""Programs that use a library of others, and the folders of their sources: go.mod pins the versions."""
DEBIAN_PEERS = {"skopeo": "skopeo", "docker-registry": "docker-registry", "nginx": "nginx"}
"""Programs and their Debian packages."""

BIN = steps.ROOT / ".tools" / "bin"
SERVERS = "/usr/sbin"
"""Debian's folder for nginx, which is not on every user's PATH."""


def install() -> None:
    """Install the missing tools; raise `steps.Failed` if one cannot be installed."""
    for peer in GO_PEERS:
        go_install(peer)
    for program, folder in BUILT.items():
        if not _built(program, folder).exists() or shutil.which(program, path=str(BIN)) is None:
            _go_build(program, folder)
    missing = [package for program, package in DEBIAN_PEERS.items() if shutil.which(program, path=path()) is None]
    if missing:
        apt_install(missing)


def path(given: str | None = None) -> str:
    """Return PATH with the peers first, and the servers last."""
    return os.pathsep.join([str(BIN), os.environ.get("PATH", "") if given is None else given, SERVERS])


def go_install(peer: Peer) -> Path:
    """Install *peer* unless it is installed at its version; return its path, or raise `steps.Failed`."""
    if not _stamp(peer).exists() or shutil.which(peer.program, path=str(BIN)) is None:
        _go_install(peer)
    return BIN / peer.program


def _go_install(peer: Peer) -> None:
    _require_go(peer.program)
    BIN.mkdir(parents=True, exist_ok=True)
    variables = {**os.environ, "GOBIN": str(BIN)}
    target = f"{peer.module}@{peer.version}"
    steps.must(f"go install {target}", ["go", "install", target], variables)
    for old in BIN.parent.glob(f"{peer.program}-*.installed"):
        old.unlink()
    _stamp(peer).touch()


def _go_build(program: str, folder: Path) -> None:
    _require_go(program)
    BIN.mkdir(parents=True, exist_ok=True)
    command = ["go", "build", "-C", str(folder), "-trimpath", "-o", str(BIN / program), "."]
    steps.must(f"go build {program}", command, dict(os.environ))
    for old in BIN.parent.glob(f"{program}-*.installed"):
        old.unlink()
    _built(program, folder).touch()


def _built(program: str, folder: Path) -> Path:
    """Return the file that marks *program* as built from its present sources."""
    sources = b"".join(file.read_bytes() for file in sorted(folder.iterdir()))
    return BIN.parent / f"{program}-{hashlib.sha256(sources).hexdigest()[:16]}.installed"


def _require_go(program: str) -> None:
    if shutil.which("go") is None:
        raise steps.Failed(f"Install Go first: {program} needs it, and there is no `go` on the PATH.")


def _stamp(peer: Peer) -> Path:
    """Return the file that marks *peer* as installed at its version, which the program's name does not show."""
    return BIN.parent / f"{peer.program}-{peer.version}.installed"


def apt_install(packages: list[str]) -> None:
    """Install Debian *packages*; raise `steps.Failed` if that is not possible."""
    root = hasattr(os, "geteuid") and os.geteuid() == 0
    if shutil.which("apt-get") is None or not root:
        raise steps.Failed(f"Install these first, as root: apt-get install {' '.join(packages)}")
    variables = {**environment.for_pip(), "DEBIAN_FRONTEND": "noninteractive"}
    steps.must("apt-get update", ["apt-get", "update", "-qq"], variables)
    install_them = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", *packages]
    steps.must(f"apt-get install {' '.join(packages)}", install_them, variables)
