"""A registry at the other end of a network, and the commands that use it."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import networks
from bench.accesslog import Traffic
from bench.clients import AZ
from bench.networks import Ends, Network
from bench.process import Command, Usage, cpu_of, measure
from bench.registry import Registry
from bench.setting import Setting

LOG_SECONDS = 0.05
"""Seconds in which the registry may still write its log after a client ended."""


@dataclass(frozen=True)
class Run:
    """The usage of one run, and its traffic as the registry logged it."""

    usage: Usage
    traffic: Traffic
    service_cpu: float = 0.0
    """Seconds of processor time of the registry and the simulated network during the run."""


class Site:
    """Run commands at the client's end of a network to *registry*."""

    def __init__(self, setting: Setting, registry: Registry, ends: Ends) -> None:
        self.setting = setting
        self.registry = registry
        self._ends = ends
        self._numbers = itertools.count(1)

    def fresh(self, stem: str) -> str:
        """Return a reference in a new repository."""
        return f"{self.registry.address}/bench/{stem}-{next(self._numbers)}:1"

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """Yield an empty folder to pull into."""
        made = self.setting.scratch / f"out-{next(self._numbers)}"
        made.mkdir()
        try:
            yield made
        finally:
            shutil.rmtree(made)

    def run(self, command: Command) -> Run:
        """Run and measure *command*; raise `CommandFailed`."""
        self.registry.log.new()
        before = self._service_cpu()
        usage = self._measure(command, self._ends.client)
        time.sleep(LOG_SECONDS)
        return Run(usage, self.registry.log.new(), self._service_cpu() - before)

    def prepare(self, command: Command) -> None:
        """Run *command* at the registry's end of the network, where it is faster; raise `CommandFailed`."""
        self._measure(command, self._ends.registry)

    def az_start(self) -> Usage:
        """Measure `az version`, as the start-up of any az command."""
        return self._measure(Command((*AZ, "version"), self.setting.scratch), self._ends.client)

    def _service_cpu(self) -> float:
        return cpu_of(self.registry.pid, *([self._ends.relay] if self._ends.relay else []))

    def _measure(self, command: Command, prefix: tuple[str, ...]) -> Usage:
        return measure(command, self.setting.variables, self.setting.scratch, prefix)


@contextlib.contextmanager
def opened(network: Network, setting: Setting) -> Iterator[Site]:
    """Run a registry at the other end of *network* until the end of the block; raise `CommandFailed`."""
    with networks.opened(network, setting.scratch) as ends:
        folder = setting.scratch / "registry"
        registry = Registry.start(folder, setting.certificates, setting.variables, ends.registry)
        try:
            yield Site(setting, registry, ends)
        finally:
            registry.stop()
