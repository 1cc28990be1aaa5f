"""purge: deletes what `purge_plan` has planned, and reports what was retained and what failed."""

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
from .purge_plan import PurgePlan, RepositoryPlan, Retained, plan_manifests
from .purge_unmatched import Unmatched

DELETES = 4
"""Deletions in flight, of which ACR allows 500 per minute and identity on its lower tiers
(https://learn.microsoft.com/azure/container-registry/container-registry-skus)."""
_Name = TypeVar("_Name", bound=str)
_FATAL = (ConnectionFailedError, SignInError, ThrottledError)


@dataclass(frozen=True)
class Failed:
    """A tag or manifest that could not be deleted, or a repository that could not be read, and the *error*."""

    reference: Reference
    error: ArtifactError


@dataclass
class PurgeResult:
    """The deleted *tags* and *manifests* (of a dry run, those to delete), those *retained* despite their age, and the
    filters that are *unmatched*."""

    tags: list[Reference] = field(default_factory=list)
    manifests: list[Reference] = field(default_factory=list)
    retained: list[Retained] = field(default_factory=list)
    failed: list[Failed] = field(default_factory=list)
    dry_run: bool = False
    unmatched: Sequence[Unmatched] = ()


def preview(plan: PurgePlan) -> PurgeResult:
    """Return the result that `purge` would have."""
    result = _initial(plan)
    for one in plan.repositories:
        result.tags += map(one.at_tag, one.tags)
        result.manifests += map(one.at, one.manifests)
    return result


def purge(registry: Registry, plan: PurgePlan, progress: Progress) -> PurgeResult:
    """Execute *plan*: tags first, then manifests. Reads the lists again and skips whatever changed since the plan.

    A failure is part of the result and does not stop the rest, unless the connection, the sign-in or the rate limit
    makes every further request fail. Run again, it deletes the rest.
    """
    deleter = _Deleter(registry, _initial(plan))
    for one in plan.repositories:
        if one.tags:
            progress.note(f"Removed {deleter.delete_tags(one)} tags in {one.inventory.repository}")
    for one in plan.repositories:
        if one.manifests:
            progress.note(f"Deleted {deleter.delete_manifests(one, plan)} artifacts in {one.inventory.repository}")
    return deleter.result


def _initial(plan: PurgePlan) -> PurgeResult:
    retained = [item for one in plan.repositories for item in one.retained]
    return PurgeResult([], [], retained, [Failed(*pair) for pair in plan.failed], plan.order.dry_run, plan.unmatched)


def _state(tag: Mapping[str, Any]) -> tuple[object, object]:
    return tag.get("digest"), tag.get("lastUpdateTime")


class _Deleter:
    """Deletes tags and manifests, and records the outcome in *result*."""

    def __init__(self, registry: Registry, result: PurgeResult) -> None:
        self.result = result
        self._registry = registry
        self._fatal: ArtifactError | None = None

    def delete_tags(self, plan: RepositoryPlan) -> int:
        """Remove the tags that have not changed; return the number of removed ones."""
        inventory = plan.inventory
        try:
            names = self._unchanged_tags(plan)
        except ArtifactError as error:
            self.result.failed += [Failed(plan.at_tag(name), error) for name in plan.tags]
            return 0
        gone = self._each(names, plan.at_tag, functools.partial(self._registry.metadata.untag, inventory.repository))
        self.result.tags += map(plan.at_tag, gone)
        for name in gone:
            inventory.tags.pop(name, None)
        return len(gone)

    def _unchanged_tags(self, plan: RepositoryPlan) -> list[str]:
        """Return the planned tags that were not pushed again while the user was asked to confirm."""
        if self._fatal:
            raise self._fatal
        inventory, before = plan.inventory, plan.inventory.tags
        inventory.list_tags()
        names = []
        for name in plan.tags:
            if name in inventory.tags and _state(inventory.tags[name]) != _state(before[name]):
                self.result.retained.append(Retained(plan.at_tag(name), "it was pushed again meanwhile"))
            else:
                names.append(name)
        return names

    def delete_manifests(self, plan: RepositoryPlan, purge_plan: PurgePlan) -> int:
        """Delete the manifests, each after those that need it; return the number of deleted ones."""
        try:
            waiting = self._unchanged_manifests(plan, purge_plan)
        except ArtifactError as error:
            self.result.failed += [Failed(plan.at(digest), error) for digest in plan.manifests]
            return 0
        deleted: set[Digest] = set()
        delete = functools.partial(self._registry.manifests.delete, plan.inventory.repository)
        while ready := [digest for digest, needed in waiting.items() if needed <= deleted]:
            gone = self._each(ready, plan.at, delete)
            self.result.manifests += map(plan.at, gone)
            deleted.update(gone)
            waiting = {digest: needed for digest, needed in waiting.items() if digest not in ready}
        for digest, needed in waiting.items():
            self.result.retained.append(Retained(plan.at(digest), f"{min(needed - deleted)} was not deleted"))
        return len(deleted)

    def _unchanged_manifests(self, plan: RepositoryPlan, purge_plan: PurgePlan) -> dict[Digest, frozenset[Digest]]:
        """List the manifests again and return the planned ones that can still be deleted: another client may have
        tagged one, listed it in an index, or attached a referrer. Nothing is added to the plan."""
        if self._fatal:
            raise self._fatal
        inventory = plan.inventory
        # Removing a tag may change the manifest's time (undocumented), so the time before that decides about its age.
        times = {digest: inventory.manifests[digest].get("lastUpdateTime") for digest in plan.manifests}
        inventory.list_manifests()
        again = RepositoryPlan(inventory, plan.filters)
        plan_manifests(again, purge_plan.order, purge_plan.cutoff, times)
        why = {item.reference.digest: item.why for item in again.retained}
        tagged = inventory.tagged()
        for digest in plan.manifests.keys() - again.manifests.keys():
            if digest in inventory.manifests:
                reason = f"it has the tag {min(tagged[digest])}" if tagged[digest] else "it has changed meanwhile"
                self.result.retained.append(Retained(plan.at(digest), why.get(digest, reason)))
        return {digest: needed for digest, needed in again.manifests.items() if digest in plan.manifests}

    def _each(
        self, names: Sequence[_Name], at: Callable[[_Name], Reference], delete: Callable[[_Name], object]
    ) -> list[_Name]:
        """Delete each of *names*; return those that no longer exist."""

        def attempt(name: _Name) -> None:
            if self._fatal:
                raise self._fatal
            try:
                delete(name)
            except NotFoundError:
                return  # another client deleted it first
            except _FATAL as error:
                self._fatal = error
                raise

        tasks = [functools.partial(attempt, name) for name in names]
        ended = list(zip(names, attempt_all(Concurrency(self._registry.http, DELETES), tasks), strict=True))
        self.result.failed += [Failed(at(name), error) for name, error in ended if error]
        return [name for name, error in ended if not error]
