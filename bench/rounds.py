"""Interleaved rounds of one case: every client once in each, none of them left out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.cases import Action, Case
from bench.clients import Client, Crane, Oras, Ours, Regctl
from bench.process import CommandFailed, Took
from bench.site import Run, Site
from bench.trees import Tree
from devtools import steps

PRESENT = 0.9
"""How much of the tree is there before a pull again."""

CONCURRENCIES = (8, 16, 32, 64)
"""Settings of oras from which its best is taken, by one run each before the rounds."""


@dataclass
class Result:
    """The runs of *case*: by client, in the order of the rounds; and az's start-up in the same rounds."""

    case: Case
    runs: dict[str, list[Run]] = field(default_factory=dict)
    az_starts: list[Took] = field(default_factory=list)
    obstacle: str | None = None
    """Why there are none."""


class Rounds:
    """Measures cases on *tree* at *site*."""

    def __init__(self, site: Site, tree: Tree, *, peers: Sequence[str]) -> None:
        self._site = site
        self._tree = tree
        self._peers = peers
        self._crane = Crane(site.setting.scratch / "layouts")
        self._to_pull: str | None = None

    def measure(self, case: Case, count: int) -> Result:
        """Run *count* rounds of *case*. Raises `CommandFailed`."""
        result = Result(case)
        runners = {client.name: self._runner(case, client) for client in self._clients(case)}
        names = list(runners)
        for number in range(count):
            result.az_starts.append(self._site.az_start())
            # Each round begins with another one, so that nobody always follows the same neighbour.
            for name in names[number % len(names) :] + names[: number % len(names)]:
                run = runners[name]()
                result.runs.setdefault(name, []).append(run)
                steps.say(f"    {case.workload} {case.action.value}: {name}: {run.took.wall:.2f} s")
        self._wipe()
        return result

    def close(self) -> None:
        """Drop what was prepared."""
        shutil.rmtree(self._crane.layouts, ignore_errors=True)

    def _clients(self, case: Case) -> list[Client]:
        wanted: list[Client] = [Ours(case.isal)]
        if "oras" in self._peers:
            wanted.append(Oras())
            if case.many:
                wanted.append(self._best_oras(case))
        if not case.oras_only:
            wanted += self._others(case)
        return [client for client in wanted if client.packs or not case.shape.packed]

    def _others(self, case: Case) -> list[Client]:
        others: list[Client] = [Regctl()] if "regctl" in self._peers else []
        if "crane" in self._peers and case.action in (Action.PUSH, Action.PULL) and not case.shape.packed:
            self._prepare_crane()
            others.append(self._crane)
        return others

    def _best_oras(self, case: Case) -> Oras:
        tried: list[tuple[float, Oras]] = []
        for concurrency in CONCURRENCIES:
            oras = Oras(concurrency)
            tried.append((self._runner(case, oras)().took.wall, oras))
            steps.say(f"    {case.workload} {case.action.value}: looking: {oras.name}: {tried[-1][0]:.2f} s")
        return min(tried, key=lambda pair: pair[0])[1]

    def _runner(self, case: Case, client: Client) -> Callable[[], Run]:
        """What does one run of *case* by *client*, with the registry made ready."""
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
        reference = self._to_pull or self._prepare_pull()
        with self._site.folder() as folder:
            if case.action is Action.PULL_AGAIN:
                self._tree.copy_part(folder, PRESENT)
            run = self._site.run(client.pull(reference, folder))
            complaint = None if isinstance(client, Crane) else self._tree.complaint(folder)
        if complaint:
            raise CommandFailed(f"{client.name} has pulled {complaint}")
        return run

    def _prepare_pull(self) -> str:
        """Push what all pull, by oras."""
        self._to_pull = self._site.fresh("pull")
        self._site.prepare(Oras().push(self._tree, self._to_pull))
        return self._to_pull

    def _wipe(self) -> None:
        self._site.registry.wipe()
        self._to_pull = None

    def _prepare_crane(self) -> None:
        if not self._crane.layout(self._tree).exists():
            self._site.prepare(self._crane.prepare(self._tree))
