"""purge, first half: which tags and manifests are to go, and why others stay that are as old.

Nothing is changed here. A manifest goes only when it is known that nothing that stays needs it: it has no tag, no
index that stays lists it, it is attached to nothing that stays, and nothing is attached to it.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..errors import ArtifactError
from ..oci.digest import Digest
from ..oci.reference import Reference
from ..oci.referrers import is_list_tag, owner_of
from ..oci.registry import Registry
from ..transfer.concurrency import Concurrency
from ..transport.authorization import DELETE, METADATA_READ, PULL, Scope
from .parallel import attempt_all
from .purge_filters import TagFilter, before, parse_time
from .repository_inventory import LISTS, Inventory, locks_in


@dataclass(frozen=True)
class PurgeOrder:
    """What the user asked for. *keep* of the tags that would go stay in each repository, the newest. *tags* and
    *untagged* say what goes: tags, manifests without one, or both; with *referrers* also manifests that something is
    attached to, and that."""

    filters: Sequence[TagFilter]
    age: timedelta
    keep: int = 0
    tags: bool = True
    untagged: bool = False
    referrers: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Kept:
    """Something that is as old as what goes, and *why* it stays."""

    reference: Reference
    why: str


@dataclass
class RepositoryPlan:
    """What goes in one repository: names of *tags*, then *manifests*, each after those that it is mapped to."""

    inventory: Inventory
    filters: Sequence[TagFilter]
    tags: list[str] = field(default_factory=list)
    manifests: dict[Digest, frozenset[Digest]] = field(default_factory=dict)
    kept: list[Kept] = field(default_factory=list)

    def at_tag(self, tag: str) -> Reference:
        """*tag* in this repository."""
        return Reference(self.inventory.registry.server, self.inventory.repository, tag)

    def at(self, digest: Digest) -> Reference:
        """The manifest *digest* in this repository."""
        return Reference(self.inventory.registry.server, self.inventory.repository, digest=digest)


@dataclass(frozen=True)
class PurgePlan:
    """All that goes, and the repositories that could not be looked at."""

    order: PurgeOrder
    cutoff: datetime
    repositories: Sequence[RepositoryPlan]
    failed: Sequence[tuple[Reference, ArtifactError]]

    @property
    def doomed(self) -> Iterator[Reference]:
        """Everything that goes."""
        for plan in self.repositories:
            yield from map(plan.at_tag, plan.tags)
            yield from map(plan.at, plan.manifests)


def plan_purge(registry: Registry, order: PurgeOrder, now: datetime) -> PurgePlan:
    """Find out what goes. A repository that cannot be read is one of those that failed; if it is the only one, its
    error is raised."""
    cutoff = before(now, order.age)
    plans = [RepositoryPlan(Inventory(registry, name), filters) for name, filters in _repositories(registry, order)]
    scopes = {plan.inventory.repository: _scope(plan.inventory.repository, order) for plan in plans}
    registry.authorizer.prepare(list(scopes.values()))
    errors = _list_all(registry, order, plans, scopes)
    for number, plan in enumerate(plans):
        try:
            if errors[number] is None:
                _plan(plan, order, cutoff)
        except ArtifactError as error:
            errors[number] = error
    failed = [(_whole(plan), error) for plan, error in zip(plans, errors, strict=True) if error]
    if len(plans) == 1 and failed:
        raise failed[0][1]
    return PurgePlan(order, cutoff, [plan for plan, error in zip(plans, errors, strict=True) if not error], failed)


def plan_manifests(plan: RepositoryPlan, order: PurgeOrder, cutoff: datetime, times: Mapping[Digest, object]) -> None:
    """Decide about the manifests of *plan*: those without another tag than *plan* removes. *times* replace what the
    registry says of their last change."""
    inventory = plan.inventory
    candidates = set(_candidates(plan, cutoff, times))
    if not candidates:
        return
    left = inventory.tagged()
    hidden = {digest for digest in left if digest not in inventory.manifests}
    inventory.read(candidates | hidden | inventory.indexes())
    candidates -= inventory.gone
    inventory.find_referrers(_going(inventory, candidates, order.referrers)[0])
    going, why = _going(inventory, candidates, order.referrers)
    plan.kept += [Kept(plan.at(digest), reason) for digest, reason in sorted(why.items())]
    bonds = _Bonds(inventory)
    plan.manifests = {digest: frozenset(bonds.needed_by(digest) & going) for digest in sorted(going)}


def _scope(repository: str, order: PurgeOrder) -> Scope:
    if order.dry_run:
        return Scope.of(repository, PULL, METADATA_READ)
    return Scope.of(repository, PULL, METADATA_READ, DELETE) if order.untagged else Scope.of_untagging(repository, PULL)


def _repositories(registry: Registry, order: PurgeOrder) -> list[tuple[str, list[TagFilter]]]:
    """The repositories that a filter matches; they are listed only where a filter does not say which it means."""
    names = {one.name for one in order.filters if one.name is not None}
    if any(one.name is None for one in order.filters):
        names.update(registry.metadata.repositories())
    matched = [(name, [one for one in order.filters if one.repository.fullmatch(name)]) for name in sorted(names)]
    return [(name, filters) for name, filters in matched if filters]


def _list_all(
    registry: Registry, order: PurgeOrder, plans: Sequence[RepositoryPlan], scopes: Mapping[str, Scope]
) -> list[ArtifactError | None]:
    """Read the lists of all repositories; the first error of each."""
    kinds = [Inventory.list_tags, *([Inventory.list_manifests] if order.untagged else [])]

    def fetch(inventory: Inventory, kind: Any) -> None:
        registry.authorizer.authorization(scopes[inventory.repository])
        kind(inventory)

    tasks = [functools.partial(fetch, plan.inventory, kind) for plan in plans for kind in kinds]
    found = iter(attempt_all(Concurrency(registry.http, LISTS), tasks))
    return [next(filter(None, list(itertools.islice(found, len(kinds)))), None) for _ in plans]


def _plan(plan: RepositoryPlan, order: PurgeOrder, cutoff: datetime) -> None:
    if order.tags:
        _plan_tags(plan, order.keep, cutoff)
    if order.untagged:
        plan_manifests(plan, order, cutoff, {})
    if (plan.tags or plan.manifests) and (locks := plan.inventory.locks()):
        why = _locked(locks).replace("it", "the repository", 1)
        going = (*map(plan.at_tag, plan.tags), *map(plan.at, plan.manifests))
        plan.kept += [Kept(reference, why) for reference in going]
        plan.tags, plan.manifests = [], {}


def _plan_tags(plan: RepositoryPlan, keep: int, cutoff: datetime) -> None:
    """Decide about the tags: those that match and are old enough, but for what is locked, belongs to something, or is
    one of the newest *keep*."""
    eligible = []
    old = list(_old_tags(plan, cutoff))
    owners = _owners(plan.inventory, [name for name, _ in old])
    for name, time in old:
        if locks := locks_in(plan.inventory.tags[name]):
            plan.kept.append(Kept(plan.at_tag(name), _locked(locks)))
        elif name in owners:
            plan.kept.append(Kept(plan.at_tag(name), f"it belongs to {owners[name]}"))
        else:
            eligible.append((time, name))
    newest_first = [name for _, name in sorted(eligible, reverse=True)]
    plan.kept += [Kept(plan.at_tag(name), f"it is one of the newest {keep}") for name in newest_first[:keep]]
    plan.tags = newest_first[keep:]


def _old_tags(plan: RepositoryPlan, cutoff: datetime) -> Iterator[tuple[str, datetime]]:
    for name, item in plan.inventory.tags.items():
        if any(one.tag.fullmatch(name) for one in plan.filters):
            time = parse_time(item.get("lastUpdateTime"))
            if time is None:
                plan.kept.append(Kept(plan.at_tag(name), "the registry does not say how old it is"))
            elif time < cutoff:
                yield name, time


def _owners(inventory: Inventory, tags: Iterable[str]) -> dict[str, Digest]:
    """The manifest that is there, for each tag that says something of one: a signature by cosign, a list of
    referrers."""
    owners = {tag: owner for tag in tags if (owner := owner_of(tag))}
    if not set(owners.values()) <= inventory.tagged().keys() and not inventory.manifests:
        inventory.list_manifests()
    there = inventory.tagged()
    return {tag: owner for tag, owner in owners.items() if owner in there}


def _candidates(plan: RepositoryPlan, cutoff: datetime, times: Mapping[Digest, object]) -> Iterator[Digest]:
    """Manifests that are old enough and, after this plan, without a tag; what of them is locked is kept."""
    removed = set(plan.tags)
    tagged = plan.inventory.tagged()
    for digest, item in plan.inventory.manifests.items():
        time = parse_time(times.get(digest, item.get("lastUpdateTime")))
        if tagged[digest] - removed or time is None or time >= cutoff:
            continue
        if locks := locks_in(item):
            plan.kept.append(Kept(plan.at(digest), _locked(locks)))
        else:
            yield digest


class _Bonds:
    """What an inventory knows of who needs whom."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.parents: dict[Digest, set[Digest]] = {}
        self.referrers: dict[Digest, set[Digest]] = {}
        self.owned: dict[Digest, str] = {}
        lists = set()
        for digest, names in inventory.tagged().items():
            self.owned.update({owner: name for name in names if (owner := owner_of(name))})
            if any(is_list_tag(name) for name in names):
                lists.add(digest)  # an index of referrers holds no content
        for digest, relation in inventory.relations.items():
            if relation.subject:
                self.referrers.setdefault(relation.subject, set()).add(digest)
            for child in relation.children if digest not in lists else ():
                self.parents.setdefault(child, set()).add(digest)

    def needed_by(self, digest: Digest) -> set[Digest]:
        """The indexes that list it and the artifacts that are attached to it."""
        return self.parents.get(digest, set()) | self.referrers.get(digest, set())

    def reason(self, digest: Digest, going: set[Digest], with_referrers: bool) -> str:
        """Why *digest* must stay when only *going* go; empty when it may go."""
        for parent in sorted(self.parents.get(digest, set()) - going):
            return f"{parent} lists it"
        subject = self.inventory.relations[digest].subject
        goes_along = with_referrers and subject in going
        if subject and not goes_along and self.inventory.has(subject):
            return f"it is attached to {subject}"
        for referrer in sorted(self.referrers.get(digest, ())):
            if not with_referrers:
                return f"{referrer} is attached to it"
            if referrer not in going:
                return f"{referrer}, which stays, is attached to it"
        return f"the tag {self.owned[digest]} belongs to it" if digest in self.owned else ""


def _going(
    inventory: Inventory, candidates: set[Digest], with_referrers: bool
) -> tuple[set[Digest], dict[Digest, str]]:
    """Those of *candidates* that nothing which stays needs, and why each of the others stays."""
    bonds, going, kept = _Bonds(inventory), set(candidates), {}
    while found := {one: why for one in going if (why := bonds.reason(one, going, with_referrers))}:
        kept.update(found)
        going -= found.keys()
    return going, kept


def _locked(locks: Sequence[str]) -> str:
    return f"it is locked: {', '.join(f'{lock}=false' for lock in locks)}"


def _whole(plan: RepositoryPlan) -> Reference:
    return Reference(plan.inventory.registry.server, plan.inventory.repository)
