"""A registry at the end of a line, and what a client does there."""

from __future__ import annotations

import contextlib
import itertools
import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import lines
from bench.accesslog import Counted
from bench.clients import AZ
from bench.lines import Ends, Line
from bench.process import Command, Took, cpu_of, measure
from bench.registry import Registry
from bench.setting import Setting

LOG_SECONDS = 0.05
"""How long after a client's end the registry may still write its log."""


@dataclass(frozen=True)
class Run:
    """What one run took, and what the registry saw of it."""

    took: Took
    seen: Counted
    service_cpu: float = 0.0
    """Seconds of processor time that the registry and the simulated line took meanwhile."""


class Site:
    """Runs commands at the client's end of a line to *registry*."""

    def __init__(self, setting: Setting, registry: Registry, ends: Ends) -> None:
        self.setting = setting
        self.registry = registry
        self._ends = ends
        self._numbers = itertools.count(1)

    def fresh(self, stem: str) -> str:
        """A reference in a repository that nobody has used."""
        return f"{self.registry.address}/bench/{stem}-{next(self._numbers)}:1"

    @contextlib.contextmanager
    def folder(self) -> Iterator[Path]:
        """An empty folder to pull into."""
        made = self.setting.scratch / f"out-{next(self._numbers)}"
        made.mkdir()
        try:
            yield made
        finally:
            shutil.rmtree(made)

    def run(self, command: Command) -> Run:
        """Run *command* and measure it. Raises `CommandFailed`."""
        self.registry.log.counted()
        before = self._service_cpu()
        took = self._measure(command, self._ends.client)
        time.sleep(LOG_SECONDS)
        return Run(took, self.registry.log.counted(), self._service_cpu() - before)

    def prepare(self, command: Command) -> None:
        """Run *command* at the registry's end of the line, where it takes less time. Raises `CommandFailed`."""
        self._measure(command, self._ends.registry)

    def az_start(self) -> Took:
        """`az version`: what any az command takes before it does anything."""
        return self._measure(Command((*AZ, "version"), self.setting.scratch), self._ends.client)

    def _service_cpu(self) -> float:
        return cpu_of(self.registry.pid, *([self._ends.relay] if self._ends.relay else []))

    def _measure(self, command: Command, prefix: tuple[str, ...]) -> Took:
        return measure(command, self.setting.variables, self.setting.scratch, prefix)


@contextlib.contextmanager
def opened(line: Line, setting: Setting) -> Iterator[Site]:
    """A registry at the far end of *line* until the end of the block. Raises `CommandFailed`."""
    with lines.opened(line, setting.scratch) as ends:
        folder = setting.scratch / "registry"
        registry = Registry.start(folder, setting.certificates, setting.variables, ends.registry)
        try:
            yield Site(setting, registry, ends)
        finally:
            registry.stop()
