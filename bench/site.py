"""A service at the other end of a network, and the commands that use it."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import networks, service
from bench.accesslog import Traffic
from bench.clients import AZ
from bench.networks import Ends, Network
from bench.process import Command, Usage, cpu_of, measure
from bench.service import Service
from bench.setting import Setting

LOG_SECONDS = 0.05
"""Seconds in which the service may still write its logs after a client ended."""


@dataclass(frozen=True)
class Run:
    """The usage of one run, and its traffic by host."""

    usage: Usage
    traffic: dict[str, Traffic] = field(default_factory=dict)
    service_cpu: float = 0.0
    """Seconds of processor time of the service and the simulated network during the run."""


class Site:
    """Run commands at the client's end of a network to *service*."""

    def __init__(self, setting: Setting, service_: Service, ends: Ends) -> None:
        self.setting = setting
        self.service = service_
        self._ends = ends
        self._numbers = itertools.count(1)

    def fresh(self, stem: str) -> str:
        """Return a reference in a new repository."""
        return f"{self.service.address}/bench/{stem}-{next(self._numbers)}:1"

    @contextlib.contextmanager
    def folder(self, files: Path) -> Iterator[Path]:
        """Yield an empty folder in *files* to pull into."""
        made = files / f"out-{next(self._numbers)}"
        made.mkdir()
        try:
            yield made
        finally:
            shutil.rmtree(made)

    def run(self, command: Command) -> Run:
        """Run and measure *command*; raise `CommandFailed`."""
        self.service.new_traffic()
        before = self._service_cpu()
        usage = self._measure(command, self._ends.client)
        time.sleep(LOG_SECONDS)
        return Run(usage, self.service.new_traffic(), self._service_cpu() - before)

    def prepare(self, command: Command) -> None:
        """Run *command* at the registry's end of the network, where it is faster; raise `CommandFailed`."""
        self._measure(command, self._ends.registry)

    def az_start(self) -> Usage:
        """Measure `az version`, as the start-up of any az command."""
        return self._measure(Command((*AZ, "version"), self.setting.scratch), self._ends.client)

    def _service_cpu(self) -> float:
        return cpu_of(*self.service.pids, *([self._ends.relay] if self._ends.relay else []))

    def _measure(self, command: Command, prefix: tuple[str, ...]) -> Usage:
        return measure(command, self.setting.variables, self.setting.scratch, prefix)


@contextlib.contextmanager
def opened(network: Network, setting: Setting, *, plain: bool = False) -> Iterator[Site]:
    """Run a service at the other end of *network* until the end of the block; raise `CommandFailed`.

    It is shaped as Azure Container Registry is, or *plain* CNCF distribution.
    """
    with networks.opened(network, setting.scratch) as ends:
        running = service.plain(setting) if plain else service.as_acr(setting, ends.registry)
        with running as started:
            yield Site(setting, started, ends)
