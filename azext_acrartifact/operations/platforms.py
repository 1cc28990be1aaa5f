"""Platforms of an index: choose the artifact for one, and add an artifact for one."""

from __future__ import annotations

import platform as machine
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import InvalidInputError, InvalidManifestError
from ..oci.descriptor import Descriptor
from ..oci.index import build_index
from ..oci.manifest import Manifest
from ..oci.reference import Reference
from ..oci.registry import Registry
from ..text import first_of

DEEPEST = 16
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9]+)?")
# The image specification uses Go's names (image-index.md); Python has others.
_SYSTEMS = {"win32": "windows", "cygwin": "windows"}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386", "x86": "386", "armv7l": "arm"}

Platform = Mapping[str, str]


def parse_platform(text: str) -> Platform:
    """Parse `OS/ARCHITECTURE[/VARIANT]` into the fields of an index. Raises `InvalidInputError`."""
    if not _PLATFORM.fullmatch(text):
        raise InvalidInputError("Not a platform", where=text, hint="Write OS/ARCHITECTURE, such as linux/amd64.")
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def this_platform() -> Platform:
    """Return the platform of this machine."""
    name = machine.machine().lower()
    return {"os": _SYSTEMS.get(sys.platform, sys.platform), "architecture": _ARCHITECTURES.get(name, name)}


def shown(platform: Platform | None) -> str:
    """Format *platform* as `OS/ARCHITECTURE[/VARIANT]`; `unknown` for None."""
    parts = [(platform or {}).get(key) for key in ("os", "architecture", "variant")]
    return "/".join(part for part in parts if part) or "unknown"


def choose(registry: Registry, reference: Reference, manifest: Manifest, asked: Platform | None) -> Manifest:
    """Return *manifest*, or if it is an index its artifact for the platform *asked*, by default that of this machine.

    Raises `InvalidManifestError` with the choices unless exactly one artifact fits, `InvalidInputError` if a platform
    was given for an artifact that is not an index.
    """
    if asked is not None and not manifest.is_index:
        what = "The artifact is not an index, so it has no platforms"
        raise InvalidInputError(what, where=str(reference), hint="Leave out --platform.")
    for _ in range(DEEPEST):
        if not manifest.is_index:
            return manifest
        manifest = registry.manifests.get(reference.repository, _fitting(manifest, reference, asked).digest)
    raise InvalidManifestError("The index is nested too deep", where=str(reference), why=f"more than {DEEPEST} levels")


def add_to_index(registry: Registry, reference: Reference, tag: str, added: Manifest, platform: Platform) -> Manifest:
    """Return the index under *tag*, or a new one, with *added* for *platform*. The registry has no atomic update: of
    two simultaneous pushes the later wins. Raises `InvalidInputError` if *tag* does not name an index."""
    child = replace(added.descriptor, platform=platform, artifact_type=added.artifact_type)
    found = registry.manifests.resolve(reference.repository, tag)
    if found is None:
        return build_index([child])
    index = registry.manifests.get(reference.repository, tag)
    require_index(index, replace(reference, tag=tag, digest=None))
    others = [item for item in index.manifests if item.platform != platform]
    return build_index(
        [*others, child],
        artifact_type=index.declared_artifact_type,
        subject=index.subject,
        annotations=index.annotations,
    )


def require_index(manifest: Manifest, reference: Reference) -> None:
    """Raise `InvalidInputError` unless *manifest* is an index; the error names *reference*."""
    if not manifest.is_index:
        raise InvalidInputError(
            "The tag names an artifact, not an index",
            where=str(reference),
            hint="Choose another tag, or push without --platform.",
        )


def _fitting(index: Manifest, reference: Reference, asked: Platform | None) -> Descriptor:
    wanted = asked or this_platform()
    found = [child for child in index.manifests if _fits(child.platform, wanted)]
    if len(found) == 1:
        return found[0]
    what = "The index has several artifacts" if len(found) > 1 else "The index has no artifact"
    raise InvalidManifestError(
        f"{what} for {shown(wanted)}",
        where=str(reference),
        why="it lists " + _choices(found or index.manifests),
        hint="Give --platform OS/ARCHITECTURE, or pull one by its digest: SERVER/REPOSITORY@sha256:…",
    )


def _fits(platform: Platform | None, wanted: Platform) -> bool:
    return platform is not None and all(platform.get(key) == value for key, value in wanted.items())


def _choices(children: Sequence[Descriptor]) -> str:
    return first_of([f"{shown(child.platform)} {child.digest}" for child in children], 5, "; ")
