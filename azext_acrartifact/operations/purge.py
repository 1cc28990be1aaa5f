"""purge, second half: what was planned goes, and what cannot go is said."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ..errors import ArtifactError, ConnectionFailedError, NotFoundError, SignInError, ThrottledError
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transfer.progress import Progress
from .parallel import attempt_all
from .purge_plan import Kept, PurgePlan, RepositoryPlan, plan_manifests

DELETES = 4
"""Deletions in flight, of which ACR takes 500 a minute from one identity on its lower tiers
(https://learn.microsoft.com/azure/container-registry/container-registry-skus)."""
_Name = TypeVar("_Name", bound=str)
_HOPELESS = (ConnectionFailedError, SignInError, ThrottledError)


@dataclass(frozen=True)
class Failed:
    """Something that was to go, or a repository that could not be looked at, and why not."""

    reference: Reference
    error: ArtifactError


@dataclass
class PurgeResult:
    """What is gone (or of a dry run, would go), what stays, and what failed. *kept* are those as old as what goes."""

    tags: list[Reference] = field(default_factory=list)
    manifests: list[Reference] = field(default_factory=list)
    kept: list[Kept] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    dry_run: bool = False


def preview(plan: PurgePlan) -> PurgeResult:
    """What `purge` would do."""
    result = _begun(plan)
    for one in plan.repositories:
        result.tags += map(one.at_tag, one.tags)
        result.manifests += map(one.at, one.manifests)
    return result


def purge(registry: Registry, plan: PurgePlan, progress: Progress) -> PurgeResult:
    """Do what was planned, as far as it still holds once the lists were read again: first the tags, then the manifests.

    What fails is in the result, and the rest goes on; without a connection, a sign-in or the registry's patience the
    rest is given up. Run again, it takes what is left.
    """
    sweep = _Sweep(registry, _begun(plan))
    for one in plan.repositories:
        if one.tags:
            progress.note(f"Removed {sweep.tags(one)} tags in {one.inventory.repository}")
    for one in plan.repositories:
        if one.manifests:
            progress.note(f"Deleted {sweep.manifests(one, plan)} artifacts in {one.inventory.repository}")
    return sweep.result


def _begun(plan: PurgePlan) -> PurgeResult:
    kept = [item for one in plan.repositories for item in one.kept]
    return PurgeResult([], [], kept, [Failed(*pair) for pair in plan.failed], plan.order.dry_run)


def _state(tag: Mapping[str, Any]) -> tuple[object, object]:
    return tag.get("digest"), tag.get("lastUpdateTime")


class _Sweep:
    """Deletes, and keeps account of it."""

    def __init__(self, registry: Registry, result: PurgeResult) -> None:
        self.result = result
        self._registry = registry
        self._given_up: ArtifactError | None = None

    def tags(self, plan: RepositoryPlan) -> int:
        """Remove the tags that are as they were; how many are gone."""
        inventory = plan.inventory
        try:
            names = self._untouched(plan)
        except ArtifactError as error:
            self.result.failed += [Failed(plan.at_tag(name), error) for name in plan.tags]
            return 0
        gone = self._each(names, plan.at_tag, functools.partial(self._registry.metadata.untag, inventory.repository))
        self.result.tags += map(plan.at_tag, gone)
        for name in gone:
            inventory.tags.pop(name, None)
        return len(gone)

    def _untouched(self, plan: RepositoryPlan) -> list[str]:
        """The planned tags that nobody has pushed again since; a question may wait for its answer for long."""
        if self._given_up:
            raise self._given_up
        inventory, before = plan.inventory, plan.inventory.tags
        inventory.list_tags()
        names = []
        for name in plan.tags:
            if name in inventory.tags and _state(inventory.tags[name]) != _state(before[name]):
                self.result.kept.append(Kept(plan.at_tag(name), "it was pushed again meanwhile"))
            else:
                names.append(name)
        return names

    def manifests(self, plan: RepositoryPlan, whole: PurgePlan) -> int:
        """Delete the manifests, each after those that need it, if these are gone; how many are."""
        try:
            waiting = self._still_to_go(plan, whole)
        except ArtifactError as error:
            self.result.failed += [Failed(plan.at(digest), error) for digest in plan.manifests]
            return 0
        deleted: set[Digest] = set()
        remove = functools.partial(self._registry.manifests.delete, plan.inventory.repository)
        while ready := [digest for digest, needed in waiting.items() if needed <= deleted]:
            gone = self._each(ready, plan.at, remove)
            self.result.manifests += map(plan.at, gone)
            deleted.update(gone)
            waiting = {digest: needed for digest, needed in waiting.items() if digest not in ready}
        for digest, needed in waiting.items():
            self.result.kept.append(Kept(plan.at(digest), f"{min(needed - deleted)} was not deleted"))
        return len(deleted)

    def _still_to_go(self, plan: RepositoryPlan, whole: PurgePlan) -> dict[Digest, frozenset[Digest]]:
        """What of the plan holds by the list as it is now: somebody may have tagged a manifest since, put it into an
        index, attached something. Nothing comes to the plan."""
        if self._given_up:
            raise self._given_up
        inventory = plan.inventory
        # Whether a manifest's time changes when it loses a tag is not documented; it is as old as it was before.
        times = {digest: inventory.manifests[digest].get("lastUpdateTime") for digest in plan.manifests}
        inventory.list_manifests()
        again = RepositoryPlan(inventory, plan.filters)
        plan_manifests(again, whole.order, whole.cutoff, times)
        why = {item.reference.digest: item.why for item in again.kept}
        tagged = inventory.tagged()
        for digest in plan.manifests.keys() - again.manifests.keys():
            if digest in inventory.manifests:
                reason = f"it has the tag {min(tagged[digest])}" if tagged[digest] else "it has changed meanwhile"
                self.result.kept.append(Kept(plan.at(digest), why.get(digest, reason)))
        return {digest: needed for digest, needed in again.manifests.items() if digest in plan.manifests}

    def _each(
        self, names: Sequence[_Name], place: Callable[[_Name], Reference], remove: Callable[[_Name], object]
    ) -> list[_Name]:
        """Remove each of *names*; those that are gone."""

        def attempt(name: _Name) -> None:
            if self._given_up:
                raise self._given_up
            try:
                remove(name)
            except NotFoundError:
                return  # somebody was faster
            except _HOPELESS as error:
                self._given_up = error
                raise

        tasks = [functools.partial(attempt, name) for name in names]
        ended = list(zip(names, attempt_all(Concurrency(self._registry.http, DELETES), tasks), strict=True))
        self.result.failed += [Failed(place(name), error) for name, error in ended if error]
        return [name for name, error in ended if not error]
