"""The registries' content on disk, and its index in memory: one small file a record, written atomically.

- `blobs/ALGORITHM/aa/HEX`: content of blobs and manifests
- `registries/NAME/HASH/repository.json`: one folder a repository, with `manifests/`, `tags/` and `blobs/`
- `uploads/`: unfinished uploads, dropped at the start
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
import threading
from dataclasses import asdict
from pathlib import Path
from typing import Any

from acr_emulator.registry.blobs import BlobStore
from acr_emulator.registry.clock import timestamp
from acr_emulator.registry.records import Attributes, Manifest, Repository, Tag


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
        """The content of the registry with resource name *name*, empty at first."""
        with self._lock:
            if name not in self._registries:
                self._registries[name] = RegistryState(self._root / "registries" / name, self)
            return self._registries[name]

    def temporary(self) -> Path:
        """A name for a new file on the same file system as the blobs."""
        return self._uploads / secrets.token_hex(16)


class RegistryState:
    """One registry's repositories. Hold *lock* for every look and change; it is never held while a body streams."""

    def __init__(self, folder: Path, store: Store) -> None:
        self._folder = folder
        self._store = store
        self.lock = threading.RLock()
        heads = folder.glob("*/repository.json")
        self.repositories = {repository.name: repository for repository in (self._load(h.parent) for h in heads)}

    def existing(self, name: str) -> Repository | None:
        """Repository *name* if clients can see it: when it has a manifest."""
        repository = self.repositories.get(name)
        return repository if repository is not None and repository.manifests else None

    def names(self) -> list[str]:
        """The listed repositories' names, sorted."""
        return sorted(n for n, r in self.repositories.items() if r.manifests and r.attributes.listEnabled)

    def blob_size(self, name: str, digest: str) -> int | None:
        """Bytes of blob *digest* in repository *name*; None when that repository has it not."""
        repository = self.repositories.get(name)
        return None if repository is None else repository.blobs.get(digest)

    def add_blob(self, name: str, digest: str, uploaded: Path | None = None) -> None:
        """Make *digest* a blob of repository *name*: from the finished file *uploaded*, or mounted from another."""
        repository = self._ensure(name)
        if uploaded is not None:
            self._store.blobs.adopt(uploaded, digest)
        else:
            self._store.blobs.link(digest)
        if digest in repository.blobs:
            self._store.blobs.unlink(digest)
        repository.blobs[digest] = self._store.blobs.size(digest)
        _write(self._file(name, "blobs", digest), {"digest": digest, "size": repository.blobs[digest]})

    def remove_blob(self, name: str, digest: str) -> None:
        """Take blob *digest* out of repository *name*."""
        del self.repositories[name].blobs[digest]
        self._file(name, "blobs", digest).unlink()
        self._store.blobs.unlink(digest)

    def add_manifest(self, name: str, manifest: Manifest, content: bytes) -> None:
        """Store *manifest* with its bytes, or stamp it anew when it is there."""
        repository = self._ensure(name)
        present = repository.manifests.get(manifest.digest)
        if present is None:
            self._store.blobs.put(content, self._store.temporary(), manifest.digest.partition(":")[0])
        else:
            manifest.created, manifest.attributes = present.created, present.attributes
        repository.manifests[manifest.digest] = manifest
        self.save_manifest(name, manifest)
        self._touch(repository)

    def add_tag(self, name: str, tag: str, digest: str) -> None:
        """Let *tag* name *digest*, whether or not it named another."""
        repository = self.repositories[name]
        now = timestamp()
        record = repository.tags.setdefault(tag, Tag(tag, digest, now, now))
        record.digest, record.updated = digest, now
        self.save_tag(name, record)
        self._touch(repository)

    def remove_tag(self, name: str, tag: str) -> None:
        """Untag: the manifest stays."""
        del self.repositories[name].tags[tag]
        self._file(name, "tags", tag).unlink()
        self._touch(self.repositories[name])

    def remove_manifest(self, name: str, digest: str) -> None:
        """Remove manifest *digest* with its tags. Its blobs stay until the repository goes (space is reclaimed
        later in ACR as well); a repository without a manifest is not seen any more."""
        repository = self.repositories[name]
        for tag in repository.tags_of(digest):
            self.remove_tag(name, tag)
        del repository.manifests[digest]
        self._file(name, "manifests", digest).unlink()
        self._store.blobs.unlink(digest)
        if not repository.manifests:
            repository.created, repository.attributes = timestamp(), Attributes()
        self._touch(repository)

    def remove_repository(self, name: str) -> None:
        """Remove repository *name* with all that it holds."""
        repository = self.repositories.pop(name)
        shutil.rmtree(self._home(name))
        for digest in [*repository.manifests, *repository.blobs]:
            self._store.blobs.unlink(digest)

    def save_repository(self, repository: Repository) -> None:
        """Write the repository's own record (times and locks)."""
        _write(self._home(repository.name) / "repository.json", repository.head())

    def save_manifest(self, name: str, manifest: Manifest) -> None:
        """Write one manifest's record."""
        _write(self._file(name, "manifests", manifest.digest), asdict(manifest))

    def save_tag(self, name: str, tag: Tag) -> None:
        """Write one tag's record."""
        _write(self._file(name, "tags", tag.name), asdict(tag))

    def _ensure(self, name: str) -> Repository:
        if name not in self.repositories:
            for part in ("manifests", "tags", "blobs"):
                (self._home(name) / part).mkdir(parents=True, exist_ok=True)
            now = timestamp()
            self.repositories[name] = Repository(name, now, now)
            self.save_repository(self.repositories[name])
        return self.repositories[name]

    def _touch(self, repository: Repository) -> None:
        repository.updated = timestamp()
        self.save_repository(repository)

    def _home(self, name: str) -> Path:
        return self._folder / hashlib.sha256(name.encode()).hexdigest()[:32]

    def _file(self, name: str, part: str, key: str) -> Path:
        # Tags differ by case alone, file names may not: the hash of the key is the name.
        return self._home(name) / part / (hashlib.sha256(key.encode()).hexdigest() + ".json")

    def _load(self, home: Path) -> Repository:
        head = _read(home / "repository.json")
        repository = Repository(head["name"], head["created"], head["updated"], Attributes(**head["attributes"]))
        for value in map(_read, home.glob("manifests/*.json")):
            repository.manifests[value["digest"]] = Manifest.from_json(value)
            self._store.blobs.link(value["digest"])
        for value in map(_read, home.glob("tags/*.json")):
            repository.tags[value["name"]] = Tag.from_json(value)
        for value in map(_read, home.glob("blobs/*.json")):
            repository.blobs[value["digest"]] = value["size"]
            self._store.blobs.link(value["digest"])
        return repository


def _read(file: Path) -> Any:
    return json.loads(file.read_text())


def _write(file: Path, value: Any) -> None:
    temporary = file.with_suffix(".new")
    temporary.write_text(json.dumps(value))
    os.replace(temporary, file)


def _key(file: Path) -> bytes:
    if not file.exists():
        file.write_bytes(secrets.token_bytes(32))
    return file.read_bytes()
