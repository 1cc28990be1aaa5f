"""Interleaved rounds of one case: every client runs once in each."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.cases import Action, Case
from bench.clients import Client, Crane, Oras, Ours, Regctl
from bench.process import CommandFailed, Usage
from bench.site import Run, Site
from bench.trees import Tree
from devtools import steps

CONCURRENCIES = (8, 16, 32, 64)
"""Settings of oras: the best is chosen by one run each, before the rounds."""


@dataclass
class Result:
    """The runs of *case* by client, in the order of the rounds, and az's start-ups in the same rounds."""

    case: Case
    runs: dict[str, list[Run]] = field(default_factory=dict)
    az_starts: list[Usage] = field(default_factory=list)


class Rounds:
    """Measure cases with *tree* at *site*; clients pull into the folder *files*."""

    def __init__(self, site: Site, tree: Tree, files: Path, *, peers: Sequence[str]) -> None:
        self._site = site
        self._tree = tree
        self._files = files
        self._peers = peers
        self._crane = Crane(files / "layouts")
        self._to_pull: dict[bool, str] = {}

    def measure(self, case: Case, count: int) -> Result:
        """Run *count* rounds of *case*; raise `CommandFailed`."""
        result = Result(case)
        runners = {client.name: self._runner(case, client) for client in self._clients(case)}
        names = list(runners)
        for number in range(count):
            result.az_starts.append(self._site.az_start())
            # Each round starts with another client, so that none always runs after the same one.
            for name in names[number % len(names) :] + names[: number % len(names)]:
                run = runners[name]()
                result.runs.setdefault(name, []).append(run)
                steps.say(f"    {case.name}: {name}: {run.usage.wall:.2f} s")
        self._wipe()
        return result

    def close(self) -> None:
        """Delete the prepared layouts."""
        shutil.rmtree(self._crane.layouts, ignore_errors=True)

    def _clients(self, case: Case) -> list[Client]:
        wanted: list[Client] = [Ours(case.setup.isal)]
        if "oras" in self._peers:
            wanted.append(Oras())
            if case.many:
                wanted.append(self._best_oras(case))
        if not case.oras_only:
            wanted += self._others(case)
        return [client for client in wanted if client.packs or not case.shape.packed]

    def _others(self, case: Case) -> list[Client]:
        others: list[Client] = [Regctl()] if "regctl" in self._peers else []
        if "crane" in self._peers and not case.action.again and not case.shape.packed:
            self._prepare_crane()
            others.append(self._crane)
        return others

    def _best_oras(self, case: Case) -> Oras:
        tried: list[tuple[float, Oras]] = []
        for concurrency in CONCURRENCIES:
            oras = Oras(concurrency)
            tried.append((self._runner(case, oras)().usage.wall, oras))
            steps.say(f"    {case.name}: trying: {oras.name}: {tried[-1][0]:.2f} s")
        return min(tried, key=lambda pair: pair[0])[1]

    def _runner(self, case: Case, client: Client) -> Callable[[], Run]:
        """Prepare the registry and return a function that does one run of *case* with *client*."""
        if case.action is Action.PUSH:
            return lambda: self._push(client)
        if case.action is Action.PUSH_AGAIN:
            push = client.push(self._tree, self._site.fresh("again"))
            self._site.prepare(push)
            return lambda: self._site.run(push)
        return lambda: self._pull(case, client)

    def _push(self, client: Client) -> Run:
        self._wipe()
        return self._site.run(client.push(self._tree, self._site.fresh("push")))

    def _pull(self, case: Case, client: Client) -> Run:
        parts = isinstance(client, Ours) and bool(self._tree.shape.part_size)
        reference = self._to_pull.get(parts) or self._prepare_pull(parts)
        with self._site.folder(self._files) as folder:
            if case.action is Action.PULL_AGAIN:
                shutil.copytree(self._tree.folder, folder, dirs_exist_ok=True)
            run = self._site.run(client.pull(reference, folder))
            difference = None if isinstance(client, Crane) else self._tree.difference(folder)
        if difference:
            raise CommandFailed(f"{client.name} pulled {difference}")
        return run

    def _prepare_pull(self, parts: bool) -> str:
        """Push, with oras, the artifact that all clients pull; one in *parts*, for ours alone, with ours."""
        self._to_pull[parts] = self._site.fresh("pull")
        self._site.prepare((Ours() if parts else Oras()).push(self._tree, self._to_pull[parts]))
        return self._to_pull[parts]

    def _wipe(self) -> None:
        self._site.service.wipe()
        self._to_pull.clear()

    def _prepare_crane(self) -> None:
        if not self._crane.layout(self._tree).exists():
            self._site.prepare(self._crane.prepare(self._tree))
