"""The dependencies between manifests that decide which of them a purge may delete."""

from __future__ import annotations

from ..oci.digest import Digest
from ..oci.referrers import owner_of
from .repository_inventory import Inventory


class Dependencies:
    """The parents, referrers and owned tags of each manifest in an inventory."""

    def __init__(self, inventory: Inventory) -> None:
        self.inventory = inventory
        self.parents: dict[Digest, set[Digest]] = {}
        self.referrers: dict[Digest, set[Digest]] = {}
        self.owned: dict[Digest, str] = {}
        for names in inventory.tagged().values():
            self.owned.update({owner: name for name in names if (owner := owner_of(name))})
        # No index is exempt for a tag that looks like that of a list of referrers: any identity that may push can put
        # such a tag on any index. The children of a real list stay anyway, with the subject that owns its tag.
        for digest, relation in inventory.relations.items():
            if relation.subject:
                self.referrers.setdefault(relation.subject, set()).add(digest)
            for child in relation.children:
                self.parents.setdefault(child, set()).add(digest)

    def needed_by(self, digest: Digest) -> set[Digest]:
        """Return the indexes that list *digest* and the artifacts that are attached to it."""
        return self.parents.get(digest, set()) | self.referrers.get(digest, set())

    def reason(self, digest: Digest, going: set[Digest], with_referrers: bool) -> str:
        """Return why *digest* must stay if only *going* are deleted; empty if it can be deleted."""
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


def split_by_need(
    inventory: Inventory, candidates: set[Digest], *, with_referrers: bool
) -> tuple[set[Digest], dict[Digest, str]]:
    """Return the *candidates* that no other manifest needs after the purge, and the reason for each of the rest."""
    dependencies, going, needed = Dependencies(inventory), set(candidates), {}
    while found := {one: why for one in going if (why := dependencies.reason(one, going, with_referrers))}:
        needed.update(found)
        going -= found.keys()
    return going, needed
