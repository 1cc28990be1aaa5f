"""Indexes: which of an index's artifacts is for a platform, and how one is added to an index."""

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

DEEPEST = 16
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(?:/[a-z0-9]+)?")
# Names of the image specification (image-index.md, which takes Go's) for what Python calls them.
_SYSTEMS = {"win32": "windows", "cygwin": "windows"}
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i386": "386", "i686": "386", "x86": "386", "armv7l": "arm"}

Platform = Mapping[str, str]


def parse_platform(text: str) -> Platform:
    """`OS/ARCHITECTURE[/VARIANT]` as an index has it; raises `InvalidInputError`."""
    if not _PLATFORM.fullmatch(text):
        raise InvalidInputError("Not a platform", where=text, hint="Write OS/ARCHITECTURE, such as linux/amd64.")
    return dict(zip(("os", "architecture", "variant"), text.split("/"), strict=False))


def this_platform() -> Platform:
    """The machine that this runs on."""
    name = machine.machine().lower()
    return {"os": _SYSTEMS.get(sys.platform, sys.platform), "architecture": _ARCHITECTURES.get(name, name)}


def shown(platform: Platform | None) -> str:
    """*platform* as a user writes it; `unknown` without one."""
    parts = [(platform or {}).get(key) for key in ("os", "architecture", "variant")]
    return "/".join(part for part in parts if part) or "unknown"


def choose(registry: Registry, reference: Reference, manifest: Manifest, asked: Platform | None) -> Manifest:
    """The artifact that *manifest* is, or for an index the one of its artifacts for *asked*, by default this machine.

    Raises `InvalidManifestError` with the choices when there is none or more than one, `InvalidInputError` when a
    platform was asked for and there is nothing to choose.
    """
    if asked is not None and not manifest.is_index:
        raise InvalidInputError(
            "The artifact is for no platform", where=str(reference), hint="It is no index: leave out --platform."
        )
    for _ in range(DEEPEST):
        if not manifest.is_index:
            return manifest
        manifest = registry.manifests.get(reference.repository, _fitting(manifest, reference, asked).digest)
    raise InvalidManifestError("The index goes too deep", where=str(reference), why=f"more than {DEEPEST} levels")


def add_to_index(registry: Registry, reference: Reference, tag: str, added: Manifest, platform: Platform) -> Manifest:
    """The index under *tag*, or a new one, with *added* as its artifact for *platform*. The registry cannot add to an
    index: of two who do at the same moment, the later wins. Raises `InvalidInputError` for a tag of no index."""
    child = replace(added.descriptor, platform=platform, artifact_type=added.artifact_type)
    held = registry.manifests.resolve(reference.repository, tag)
    if held is None:
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
    """Raise `InvalidInputError` unless *manifest*, which is at *reference*, is an index."""
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
    more = f" and {len(children) - 5} more" if len(children) > 5 else ""
    return "; ".join(f"{shown(child.platform)} {child.digest}" for child in children[:5]) + more
