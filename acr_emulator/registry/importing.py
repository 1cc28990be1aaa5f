"""`importImage`: a copy between registries by the service.

https://learn.microsoft.com/azure/container-registry/container-registry-import-images
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, replace

from acr_emulator.registry.clock import timestamp
from acr_emulator.registry.names import is_digest, is_repository, is_tag
from acr_emulator.registry.records import Attributes, Manifest, Repository
from acr_emulator.registry.store import RegistryState, Store
from acr_emulator.world import Registry, World


class ImportFailed(Exception):
    """The import failed; *code* and *message* are for the ARM operation."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


@dataclass(frozen=True)
class _Image:
    repository: str
    tag: str | None
    digest: str | None


def import_image(
    world: World,
    store: Store,
    *,
    source: Registry,
    source_image: str,
    target: Registry,
    target_tags: list[str],
    untagged_repositories: list[str],
    force: bool,
) -> None:
    """Copy *source_image* (`repository`, `repository:tag` or `repository@digest`) and the children of its index, but no
    referrers, to each of *target_tags* (`repository[:tag]`) and, without a tag, to *untagged_repositories*; with
    neither, to its own name. Raise `ImportFailed` and copy nothing; without *force*, also if a tag exists."""
    if not source.export_enabled:
        raise ImportFailed("ExportPolicyDisabled", f"exports are disabled on the registry {source.login_server}")
    image = _parse(source_image)
    tags = [_target(text, image) for text in target_tags]
    plain = list(untagged_repositories)
    if not tags and not plain:
        tags, plain = ([_target(image.repository, image)], []) if image.digest is None else ([], [image.repository])
    _check_names(plain)
    from_state, to_state = store.registry(source.name), store.registry(target.name)
    with ExitStack() as stack:
        for state in sorted({source.name: from_state, target.name: to_state}.items()):
            stack.enter_context(state[1].lock)
        repository, root = _find(from_state, image, source)
        graph = _graph(repository, root)
        if len(graph) > world.limits.import_manifests:
            raise ImportFailed("InvalidParameters", f"the image has {len(graph)} manifests, too many to import")
        for name, tag in tags:
            _check_tag(to_state, name, tag, force, target)
        for name in dict.fromkeys([*(name for name, _ in tags), *plain]):
            _copy(store, to_state, name, graph)
        for name, tag in tags:
            to_state.add_tag(name, tag, root.digest)


def _parse(text: str) -> _Image:
    name, at, digest = text.partition("@")
    name, colon, tag = name.partition(":")
    good = is_repository(name) and (not at or is_digest(digest)) and (not colon or is_tag(tag))
    if not good or (at and colon):
        raise ImportFailed("InvalidParameters", f"the source image {text} is not valid")
    return _Image(name, None if at else tag or "latest", digest or None)


def _target(text: str, image: _Image) -> tuple[str, str]:
    name, colon, tag = text.partition(":")
    if not is_repository(name) or (colon and not is_tag(tag)):
        raise ImportFailed("InvalidParameters", f"the target tag {text} is not valid")
    return name, tag or image.tag or "latest"


def _check_names(repositories: list[str]) -> None:
    for name in repositories:
        if not is_repository(name):
            raise ImportFailed("InvalidParameters", f"the target repository {name} is not valid")


def _find(state: RegistryState, image: _Image, source: Registry) -> tuple[Repository, Manifest]:
    repository = state.existing(image.repository)
    tag = repository.tags.get(image.tag or "") if repository else None
    manifest = repository.manifests.get(tag.digest if tag else image.digest or "") if repository else None
    if repository is None or manifest is None:
        name = f"{source.login_server}/{image.repository}{'@' if image.digest else ':'}{image.digest or image.tag}"
        raise ImportFailed("ManifestUnknown", f"the source image {name} could not be found")
    locks = [repository.attributes, manifest.attributes, *([tag.attributes] if tag else [])]
    if not all(lock.readEnabled for lock in locks):
        raise ImportFailed("OperationDisallowed", f"the source image {image.repository} is locked against reading")
    return repository, manifest


def _graph(repository: Repository, root: Manifest) -> list[Manifest]:
    """Return *root* and the manifests that its index lists, at any depth, children before parents."""
    found: dict[str, Manifest] = {}
    waiting = [root]
    while waiting:
        manifest = waiting.pop()
        if manifest.digest not in found:
            found[manifest.digest] = manifest
            known = [child["digest"] for child in manifest.children if child["digest"] in repository.manifests]
            waiting.extend(repository.manifests[digest] for digest in known)
    return list(reversed(found.values()))


def _check_tag(state: RegistryState, name: str, tag: str, force: bool, target: Registry) -> None:
    repository = state.existing(name)
    present = repository.tags.get(tag) if repository else None
    if present is not None and not force:
        raise ImportFailed("Conflict", f"Tag {name}:{tag} already exists in target registry.")
    locks = [item.attributes for item in (repository, present) if item is not None]
    if not all(lock.writeEnabled for lock in locks):
        raise ImportFailed("OperationDisallowed", f"{target.login_server}/{name}:{tag} is locked against writing")


def _copy(store: Store, state: RegistryState, name: str, graph: list[Manifest]) -> None:
    for manifest in graph:
        for digest in manifest.blobs:
            if state.blob_size(name, digest) is None:
                state.add_blob(name, digest)
        now = timestamp()
        copied = replace(manifest, created=now, updated=now, attributes=Attributes())
        state.add_manifest(name, copied, store.blobs.read(manifest.digest))
