"""The registries' content: blobs in files, an index in memory, and its change log on disk.

- `blobs/ALGORITHM/aa/HEX`: content of blobs and manifests
- `registries/NAME/HASH.jsonl`: the change log of a repository
- `uploads/`: unfinished uploads, deleted at the start
"""

from __future__ import annotations

import hashlib
import secrets
import shutil
import threading
from pathlib import Path

from acr_emulator.registry import change_log
from acr_emulator.registry.blobs import BlobStore
from acr_emulator.registry.clock import timestamp
from acr_emulator.registry.records import Attributes, Manifest, Repository, Tag, listed_names
from acr_emulator.registry.replica import REPOSITORY_REMOVED, Replica
from acr_emulator.world import Lag, Part


class Store:
    """Everything below *root*; `registry(name)` opens one registry's part."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._uploads = root / "uploads"
        shutil.rmtree(self._uploads, ignore_errors=True)
        self._uploads.mkdir(parents=True)
        self.blobs = BlobStore(root / "blobs")
        self.sas_key = _key(root / "sas.key")
        self._lock = threading.Lock()
        folders = root.glob("registries/*")
        self._registries = {folder.name: RegistryState(folder, self) for folder in folders}

    def registry(self, name: str) -> RegistryState:
        """Return the content of the registry with the resource name *name*, empty at first."""
        with self._lock:
            if name not in self._registries:
                self._registries[name] = RegistryState(self._root / "registries" / name, self)
            return self._registries[name]

    def temporary(self) -> Path:
        """Return the path of a new file on the same file system as the blobs."""
        return self._uploads / secrets.token_hex(16)


class RegistryState:
    """One registry's repositories. Take *lock* for every read and change, but not while a body streams."""

    def __init__(self, folder: Path, store: Store) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._store = store
        self.lock = threading.RLock()
        self.repositories: dict[str, Repository] = {}
        self._replicas: dict[str, Replica] = {}
        for file in folder.glob("*.jsonl"):
            self._load(file)

    def follow(self, lags: list[Lag]) -> None:
        """Have a replica with each of *lags*: the one that there is, or else a new one without delayed changes."""
        if not lags and not self._replicas:
            return
        with self.lock:
            known = {replica.lag: replica for replica in self._replicas.values()}
            self._replicas = {lag.part: known.get(lag) or Replica(lag, self.repositories) for lag in lags}

    def seen(self, part: Part) -> dict[str, Repository]:
        """Return the repositories as a request that reads *part* sees them. Call it once for each request, since a lag
        may count reads."""
        replica = self._replicas.get(part)
        return self.repositories if replica is None else replica.read()

    def existing(self, name: str) -> Repository | None:
        """Return the repository *name*, or None if clients cannot see it, because it has no manifest."""
        repository = self.repositories.get(name)
        return repository if repository is not None and repository.manifests else None

    def names(self) -> list[str]:
        """Return the names of the listed repositories, sorted."""
        return listed_names(self.repositories.values())

    def blob_size(self, name: str, digest: str) -> int | None:
        """Return the size of the blob *digest* in the repository *name*, or None if it is missing there."""
        repository = self.repositories.get(name)
        return None if repository is None else repository.blobs.get(digest)

    def add_blob(self, name: str, digest: str, uploaded: Path | None = None) -> None:
        """Add the blob *digest* to the repository *name*, from the finished file *uploaded* or mounted from another."""
        repository = self._ensure(name)
        if uploaded is not None:
            self._store.blobs.adopt(uploaded, digest)
        else:
            self._store.blobs.link(digest)
        if digest in repository.blobs:
            self._store.blobs.unlink(digest)
            return
        repository.blobs[digest] = self._store.blobs.size(digest)
        self._log(name, change_log.blob_record(digest, repository.blobs[digest]))

    def remove_blob(self, name: str, digest: str) -> None:
        """Remove the blob *digest* from the repository *name*."""
        del self.repositories[name].blobs[digest]
        self._log(name, ("-blob", digest))
        self._store.blobs.unlink(digest)

    def add_manifest(self, name: str, manifest: Manifest, content: bytes) -> None:
        """Store *manifest* with its bytes, or update its time if it exists."""
        repository = self._ensure(name)
        present = repository.manifests.get(manifest.digest)
        if present is None:
            self._store.blobs.put(content, self._store.temporary(), manifest.digest.partition(":")[0])
        else:
            manifest.created, manifest.attributes = present.created, present.attributes
        repository.manifests[manifest.digest] = manifest
        self._log(name, change_log.manifest_record(manifest), self._touched(repository))

    def add_tag(self, name: str, tag: str, digest: str) -> None:
        """Point *tag* to *digest*, even if it pointed to another one."""
        repository, now = self.repositories[name], timestamp()
        record = repository.tags.setdefault(tag, Tag(tag, digest, now, now))
        record.digest, record.updated = digest, now
        self._log(name, change_log.tag_record(record), self._touched(repository))

    def remove_tag(self, name: str, tag: str) -> None:
        """Remove a tag; the manifest stays."""
        del self.repositories[name].tags[tag]
        self._log(name, ("-tag", tag), self._touched(self.repositories[name]))

    def remove_manifest(self, name: str, digest: str) -> None:
        """Remove the manifest *digest* with its tags. Its blobs stay until the repository is removed, as ACR reclaims
        space later. Clients do not see a repository without a manifest."""
        repository = self.repositories[name]
        for tag in repository.tags_of(digest):
            self.remove_tag(name, tag)
        del repository.manifests[digest]
        if not repository.manifests:
            repository.created, repository.attributes = timestamp(), Attributes()
        self._log(name, ("-manifest", digest), self._touched(repository))
        self._store.blobs.unlink(digest)

    def remove_repository(self, name: str) -> None:
        """Remove the repository *name* with its content."""
        repository = self.repositories.pop(name)
        self._file(name).unlink()
        for digest in [*repository.manifests, *repository.blobs]:
            self._store.blobs.unlink(digest)
        self._delay(name, (REPOSITORY_REMOVED, name))

    def save_repository(self, repository: Repository) -> None:
        """Save the repository's changed locks."""
        self._log(repository.name, change_log.head_record(repository))

    def save_manifest(self, name: str, manifest: Manifest) -> None:
        """Save a manifest's changed locks."""
        self._log(name, change_log.manifest_record(manifest))

    def save_tag(self, name: str, tag: Tag) -> None:
        """Save a tag's changed locks."""
        self._log(name, change_log.tag_record(tag))

    def _ensure(self, name: str) -> Repository:
        if name not in self.repositories:
            now = timestamp()
            self.repositories[name] = Repository(name, now, now)
            self.save_repository(self.repositories[name])
        return self.repositories[name]

    def _touched(self, repository: Repository) -> change_log.Record:
        repository.updated = timestamp()
        return change_log.head_record(repository)

    def _log(self, name: str, *records: change_log.Record) -> None:
        change_log.append(self._file(name), records)
        self._delay(name, *records)

    def _delay(self, name: str, *records: change_log.Record) -> None:
        for replica in self._replicas.values():
            replica.add(name, records)

    def _file(self, name: str) -> Path:
        # A repository name with encoded slashes can be too long for a file name.
        return self._folder / (hashlib.sha256(name.encode()).hexdigest()[:32] + ".jsonl")

    def _load(self, file: Path) -> None:
        repository = change_log.load(file)
        if repository is not None:
            self.repositories[repository.name] = repository
            for digest in [*repository.manifests, *repository.blobs]:
                self._store.blobs.link(digest)


def _key(file: Path) -> bytes:
    if not file.exists():
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()
