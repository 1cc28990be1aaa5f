"""Fill a repository of the local Azure without requests: hundreds of artifacts of any age."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

from acr_emulator.registry.manifest_content import OCI_INDEX, OCI_MANIFEST, parse_manifest
from acr_emulator.registry.records import Attributes
from acr_emulator.registry.store import Store
from tests.functional.origin import digest_of

DAY = 86400.0
EMPTY = "application/vnd.oci.empty.v1+json"
KIND = "application/vnd.example.kind"


class Stock:
    """One repository of the registry with resource name *registry*."""

    def __init__(self, store: Store, repository: str, registry: str = "myregistry") -> None:
        self.repository = repository
        self.state = store.registry(registry)
        self._made = 0

    def artifact(
        self, *tags: str, age: float = 100, subject: str = "", kind: str = KIND, config: str = EMPTY, **locks: bool
    ) -> str:
        """Add a manifest, *age* days old like its *tags*, attached to the digest *subject*; return its digest. *locks*
        are its attributes."""
        fields: dict[str, Any] = {"config": _descriptor(config, "config"), "layers": [], "artifactType": kind}
        if subject:
            fields["subject"] = _descriptor(OCI_MANIFEST, subject)
        return self._store(fields, OCI_MANIFEST, tags, age, locks)

    def index(self, *tags: str, children: Sequence[str], age: float = 100, subject: str = "", **locks: bool) -> str:
        """Add an index of the digests *children*, attached to the digest *subject*; return its own. Under a tag for
        a list of referrers, it says of each child what a client writes there."""
        manifests = self.state.repositories[self.repository].manifests
        kind = {"artifactType": KIND} if any(tag.startswith("sha256-") for tag in tags) else {}
        listed = [{**_descriptor(manifests[digest].media_type, digest), **kind} for digest in children]
        refers = {"subject": _descriptor(OCI_MANIFEST, subject)} if subject else {}
        return self._store({"manifests": listed, **refers}, OCI_INDEX, tags, age, locks)

    def tag(self, name: str, digest: str, age: float = 100, **locks: bool) -> None:
        """Tag *digest*; the tag is *age* days old."""
        self.state.add_tag(self.repository, name, digest)
        record = self.state.repositories[self.repository].tags[name]
        record.updated, record.attributes = _ago(age), Attributes(**locks)
        self.state.save_tag(self.repository, record)

    @property
    def tags(self) -> set[str]:
        """All tags."""
        repository = self.state.existing(self.repository)
        return set(repository.tags) if repository else set()

    @property
    def manifests(self) -> set[str]:
        """The digests of all manifests."""
        repository = self.state.existing(self.repository)
        return set(repository.manifests) if repository else set()

    def _store(
        self, fields: dict[str, Any], media_type: str, tags: Sequence[str], age: float, locks: dict[str, bool]
    ) -> str:
        self._made += 1
        notes = {"annotations": {"number": str(self._made)}}
        content = json.dumps({"schemaVersion": 2, "mediaType": media_type, **fields, **notes}).encode()
        record = parse_manifest(content, media_type, digest_of(content))
        record.created = record.updated = _ago(age)
        record.attributes = Attributes(**locks)
        self.state.add_manifest(self.repository, record, content)
        for name in tags:
            self.tag(name, record.digest, age)
        return record.digest


def _descriptor(media_type: str, content: str) -> dict[str, Any]:
    digest = content if ":" in content else digest_of(content.encode())
    return {"mediaType": media_type, "digest": digest, "size": 2}


def _ago(days: float) -> str:
    moment = time.time() - days * DAY
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(moment)) + ".1234567Z"
