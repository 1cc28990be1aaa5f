"""The clients, each with its commands to push and to pull a tree."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bench.process import Command
from bench.trees import Tree

AZ = (sys.executable, "-m", "azure.cli")
# A package that only the tests install must not make az faster.
_WITHOUT_ISAL = "import runpy, sys; sys.modules['isal'] = None; runpy.run_module('azure.cli', None, '__main__', True)"
AZ_WITHOUT_ISAL = (sys.executable, "-c", _WITHOUT_ISAL)


class Client(Protocol):
    """A client and its abilities."""

    @property
    def name(self) -> str:
        """The name in the table."""

    @property
    def packs(self) -> bool:
        """Whether it pushes folders."""

    def push(self, tree: Tree, reference: str) -> Command:
        """Return the command that pushes *tree* as *reference*."""

    def pull(self, reference: str, folder: Path) -> Command:
        """Return the command that pulls *reference* into *folder*."""


@dataclass(frozen=True)
class Ours:
    """`az acr artifact`, with the standard library alone unless *isal*."""

    isal: bool = False
    name: str = "az acr artifact"
    packs: bool = True

    def push(self, tree: Tree, reference: str) -> Command:
        parts = ("--part-size", tree.shape.part_size) if tree.shape.part_size else ()
        return Command(
            (*self._az, "acr", "artifact", "push", reference, *parts, "--file", *tree.arguments), tree.folder
        )

    def pull(self, reference: str, folder: Path) -> Command:
        return Command((*self._az, "acr", "artifact", "pull", reference, "--destination", str(folder)), folder)

    @property
    def _az(self) -> tuple[str, ...]:
        return AZ if self.isal else AZ_WITHOUT_ISAL


@dataclass(frozen=True)
class Oras:
    """oras, at its default concurrency or at *concurrency*. By default it uses plain HTTP for a loopback address."""

    concurrency: int | None = None
    packs: bool = True

    @property
    def name(self) -> str:
        return f"oras --concurrency {self.concurrency}" if self.concurrency else "oras"

    def push(self, tree: Tree, reference: str) -> Command:
        return Command((*self._start("push"), reference, *tree.arguments), tree.folder)

    def pull(self, reference: str, folder: Path) -> Command:
        return Command((*self._start("pull"), "--output", str(folder), reference), folder)

    def _start(self, verb: str) -> list[str]:
        options = ["--concurrency", str(self.concurrency)] if self.concurrency else []
        return ["oras", verb, "--plain-http=false", "--no-tty", *options]


@dataclass(frozen=True)
class Regctl:
    """regctl, which packs no folders."""

    name: str = "regctl"
    packs: bool = False

    def push(self, tree: Tree, reference: str) -> Command:
        # With several files, each needs its type.
        files = [
            word
            for name in tree.arguments
            for word in ("--file", name, "--file-media-type", "application/octet-stream")
        ]
        kinds = ("--artifact-type", "application/vnd.example", "--file-title")
        return Command(("regctl", "artifact", "put", *kinds, *files, reference), tree.folder)

    def pull(self, reference: str, folder: Path) -> Command:
        return Command(("regctl", "artifact", "get", "--output", str(folder), reference), folder)


@dataclass(frozen=True)
class Crane:
    """crane, which pushes images only: so the tree as an OCI layout in *layouts*, hashed beforehand."""

    layouts: Path
    name: str = "crane"
    packs: bool = False

    def push(self, tree: Tree, reference: str) -> Command:
        return Command(("crane", "push", str(self.layout(tree)), reference), tree.folder)

    def pull(self, reference: str, folder: Path) -> Command:
        return Command(("crane", "pull", "--format=oci", reference, str(folder)), folder)

    def layout(self, tree: Tree) -> Path:
        """Return the folder of *tree*'s layout."""
        return self.layouts / tree.folder.name

    def prepare(self, tree: Tree) -> Command:
        """Return the command that makes the layout."""
        return Command(
            ("oras", "push", "--no-tty", "--oci-layout", f"{self.layout(tree)}:1", *tree.arguments), tree.folder
        )
