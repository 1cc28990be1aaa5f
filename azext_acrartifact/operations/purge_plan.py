"""The plan of a purge: the tags and manifests to delete, and the reasons to retain others of that age.

Planning changes nothing. A manifest is planned only if it has no tag, no retained index lists it, its subject is not
retained and, without `referrers`, nothing is attached to it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..errors import ArtifactError, NotFoundError
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.referrers import owner_of
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transport.authorization import DELETE, METADATA_READ, PULL, Scope
from .locks import locks_in
from .parallel import attempt_all
from .purge_dependencies import Dependencies, split_by_need
from .purge_filters import TagFilter, before, parse_time
from .purge_unmatched import Unmatched, find_unmatched
from .repository_inventory import LISTS, Inventory


@dataclass(frozen=True)
class PurgeOrder:
    """The user's request. Each repository retains the newest *keep* of the tags to delete. *tags* and *untagged*
    select tags, manifests without a tag, or both; *referrers* adds manifests with referrers, and these."""

    filters: Sequence[TagFilter]
    age: timedelta
    keep: int = 0
    tags: bool = True
    untagged: bool = False
    referrers: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Retained:
    """A tag or manifest that is old enough to delete, and *why* it is not deleted."""

    reference: Reference
    why: str


@dataclass
class RepositoryPlan:
    """The deletions in one repository: first *tags*, then *manifests*, each after those that it is mapped to."""

    inventory: Inventory
    filters: Sequence[TagFilter]
    tags: list[str] = field(default_factory=list)
    manifests: dict[Digest, frozenset[Digest]] = field(default_factory=dict)
    retained: list[Retained] = field(default_factory=list)

    @property
    def reference(self) -> Reference:
        """The repository itself."""
        return Reference(self.inventory.registry.server, self.inventory.repository)

    def at_tag(self, tag: str) -> Reference:
        """Return the reference of *tag*."""
        return replace(self.reference, tag=tag)

    def at(self, digest: Digest) -> Reference:
        """Return the reference of the manifest *digest*."""
        return self.reference.at(digest)


@dataclass(frozen=True)
class PurgePlan:
    """The deletions in all repositories, the repositories that could not be read, the filters that match nothing."""

    order: PurgeOrder
    cutoff: datetime
    repositories: Sequence[RepositoryPlan]
    failed: Sequence[tuple[Reference, ArtifactError]]
    unmatched: Sequence[Unmatched] = ()

    @property
    def doomed(self) -> Iterator[Reference]:
        """All tags and manifests to delete."""
        for plan in self.repositories:
            yield from map(plan.at_tag, plan.tags)
            yield from map(plan.at, plan.manifests)


def plan_purge(registry: Registry, order: PurgeOrder, now: datetime) -> PurgePlan:
    """Plan the purge of all repositories of *order*. A repository that cannot be read counts as failed, but the error
    of the only repository is raised. A missing one has nothing left to purge: an earlier run may have emptied it."""
    cutoff = before(now, order.age)
    plans = [RepositoryPlan(Inventory(registry, name), filters) for name, filters in _repositories(registry, order)]
    scopes = {plan.inventory.repository: _scope(plan.inventory.repository, order) for plan in plans}
    registry.authorizer.prepare(list(scopes.values()))
    errors = _list_all(registry, order, plans, scopes)
    missing = {
        plan.inventory.repository for plan, error in zip(plans, errors, strict=True) if isinstance(error, NotFoundError)
    }
    for number, plan in enumerate(plans):
        try:
            if errors[number] is None:
                _plan(plan, order, cutoff)
        except ArtifactError as error:
            errors[number] = error
    ended = [pair for pair in zip(plans, errors, strict=True) if pair[0].inventory.repository not in missing]
    failed = [(plan.reference, error) for plan, error in ended if error]
    if len(ended) == 1 and failed:
        raise failed[0][1]
    known = {plan.inventory.repository: plan.inventory.tags for plan, _ in ended}
    unmatched = list(find_unmatched(order.filters, known, missing, of_tags=order.tags)) if not failed else []
    return PurgePlan(order, cutoff, [plan for plan, error in ended if not error], failed, unmatched)


def plan_manifests(plan: RepositoryPlan, order: PurgeOrder, cutoff: datetime, times: Mapping[Digest, object]) -> None:
    """Plan the manifests that have no tag besides those that *plan* removes. *times* override the registry's times of
    their last change."""
    inventory = plan.inventory
    candidates = set(_candidates(plan, cutoff, times))
    if not candidates:
        return
    hidden = {digest for digest in inventory.tagged() if digest not in inventory.manifests}
    inventory.read(candidates | hidden | inventory.indexes())
    candidates -= inventory.gone
    inventory.find_referrers(split_by_need(inventory, candidates, with_referrers=order.referrers)[0])
    going, needed = split_by_need(inventory, candidates, with_referrers=order.referrers)
    plan.retained += [Retained(plan.at(digest), why) for digest, why in sorted(needed.items())]
    dependencies = Dependencies(inventory)
    plan.manifests = {digest: frozenset(dependencies.needed_by(digest) & going) for digest in sorted(going)}


def _scope(repository: str, order: PurgeOrder) -> Scope:
    if order.dry_run:
        return Scope.of(repository, PULL, METADATA_READ)
    return Scope.of(repository, PULL, METADATA_READ, DELETE) if order.untagged else Scope.of_untagging(repository, PULL)


def _repositories(registry: Registry, order: PurgeOrder) -> list[tuple[str, list[TagFilter]]]:
    """Return the repositories that match, with their filters. Lists the registry only if a filter does not name one."""
    names = {one.name for one in order.filters if one.name is not None}
    if any(one.name is None for one in order.filters):
        names.update(registry.metadata.repositories())
    matched = [(name, [one for one in order.filters if one.repository.matches(name)]) for name in sorted(names)]
    return [(name, filters) for name, filters in matched if filters]


def _list_all(
    registry: Registry, order: PurgeOrder, plans: Sequence[RepositoryPlan], scopes: Mapping[str, Scope]
) -> list[ArtifactError | None]:
    """List the tags and manifests of all repositories; return the first error of each."""
    reads = [Inventory.list_tags, *([Inventory.list_manifests] if order.untagged else [])]

    def fetch(inventory: Inventory, read: Callable[[Inventory], None]) -> None:
        registry.authorizer.authorization(scopes[inventory.repository])
        read(inventory)

    tasks = [functools.partial(fetch, plan.inventory, read) for plan in plans for read in reads]
    found = iter(attempt_all(Concurrency(registry.http, LISTS), tasks))
    return [next(filter(None, list(itertools.islice(found, len(reads)))), None) for _ in plans]


def _plan(plan: RepositoryPlan, order: PurgeOrder, cutoff: datetime) -> None:
    if order.tags:
        _plan_tags(plan, order.keep, cutoff)
    if order.untagged:
        plan_manifests(plan, order, cutoff, {})
    if (plan.tags or plan.manifests) and (locks := plan.inventory.locks()):
        going = (*map(plan.at_tag, plan.tags), *map(plan.at, plan.manifests))
        plan.retained += [Retained(reference, _locked("the repository", locks)) for reference in going]
        plan.tags, plan.manifests = [], {}


def _plan_tags(plan: RepositoryPlan, keep: int, cutoff: datetime) -> None:
    """Plan the tags that match and are old enough, except locked ones, those that belong to a manifest, and the newest
    *keep*."""
    eligible = []
    old = list(_old_tags(plan, cutoff))
    owners = _owners(plan.inventory, [name for name, _ in old])
    for name, time in old:
        if locks := locks_in(plan.inventory.tags[name]):
            plan.retained.append(Retained(plan.at_tag(name), _locked("it", locks)))
        elif name in owners:
            plan.retained.append(Retained(plan.at_tag(name), f"it belongs to {owners[name]}"))
        else:
            eligible.append((time, name))
    newest_first = [name for _, name in sorted(eligible, reverse=True)]
    plan.retained += [Retained(plan.at_tag(name), f"it is one of the newest {keep}") for name in newest_first[:keep]]
    plan.tags = newest_first[keep:]


def _old_tags(plan: RepositoryPlan, cutoff: datetime) -> Iterator[tuple[str, datetime]]:
    for name, item in plan.inventory.tags.items():
        if any(one.tag.matches(name) for one in plan.filters):
            time = parse_time(item.get("lastUpdateTime"))
            if time is None:
                plan.retained.append(Retained(plan.at_tag(name), "the registry does not say how old it is"))
            elif time < cutoff:
                yield name, time


def _owners(inventory: Inventory, tags: Iterable[str]) -> dict[str, Digest]:
    """Return the existing manifest that each tag belongs to: tags of cosign's signatures and of lists of referrers
    contain its digest."""
    owners = {tag: owner for tag in tags if (owner := owner_of(tag))}
    if not set(owners.values()) <= inventory.tagged().keys() and not inventory.manifests:
        inventory.list_manifests()
    existing = inventory.tagged()
    return {tag: owner for tag, owner in owners.items() if owner in existing}


def _candidates(plan: RepositoryPlan, cutoff: datetime, times: Mapping[Digest, object]) -> Iterator[Digest]:
    """Yield the manifests that are old enough and have no tag after this plan; retain those that are locked."""
    removed = set(plan.tags)
    tagged = plan.inventory.tagged()
    for digest, item in plan.inventory.manifests.items():
        time = parse_time(times.get(digest, item.get("lastUpdateTime")))
        if tagged[digest] - removed or time is None or time >= cutoff:
            continue
        if locks := locks_in(item):
            plan.retained.append(Retained(plan.at(digest), _locked("it", locks)))
        else:
            yield digest


def _locked(what: str, locks: Sequence[str]) -> str:
    return f"{what} is locked: {', '.join(f'{lock}=false' for lock in locks)}"
