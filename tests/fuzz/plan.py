"""Titles, and the plan that a pull makes of all titles of an artifact."""

from __future__ import annotations

import ntpath
import posixpath
import unicodedata
from pathlib import PureWindowsPath

from azext_acrartifact.errors import InvalidInputError, InvalidManifestError, UnsafeContentError
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import Manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST, TITLE, UNPACK
from azext_acrartifact.operations.pull_plan import Planned, plan_pull
from tests.fuzz.decoded import decoded
from tests.fuzz.shown import is_harmless
from tests.support.descriptors import empty_descriptor

BELOW = {posixpath: "/safe/place", ntpath: "C:\\safe\\place"}
_CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}


def check(data: bytes) -> None:
    """Read each line as a title, at most fifty; one that begins with `*` is a folder's."""
    titles = list(map(decoded, data.split(b"\n")[:50]))
    layers = tuple(map(_layer, titles))
    manifest = Manifest(IMAGE_MANIFEST, b"{}", digest_of(b"{}"), empty_descriptor(), layers)
    try:
        plan = plan_pull(manifest, Selection(), "here")
    except (UnsafeContentError, InvalidManifestError, InvalidInputError) as error:
        assert is_harmless(error.message)
        return
    assert len(plan.files) + len(plan.skipped) == len(layers)
    for planned in plan.files:
        _stays_below(planned)
    names = [str(planned.name) for planned in plan.files]
    assert len(set(names)) == len(names), names
    if not plan.twins:
        _are_apart(names)


def _layer(title: str) -> Descriptor:
    folder = {UNPACK: "true"} if title.startswith("*") else {}
    annotations = {TITLE: title.removeprefix("*"), **folder}
    return Descriptor("text/plain", digest_of(title.encode("utf-8", "surrogatepass")), 1, annotations)


def _stays_below(planned: Planned) -> None:
    """Require this on both kinds of systems, by the standard library's own reading of paths."""
    name = str(planned.name)
    for system, root in BELOW.items():
        joined = system.normpath(system.join(root, name))
        assert joined.startswith(root + system.sep) or (joined == root and planned.folder), name
        assert joined.removeprefix(root).replace("\\", "/").strip("/") == ("" if name == "." else name), name
    assert not {unicodedata.category(character) for character in name} & _CONTROL
    assert not any(map(_is_reserved, planned.name.parts)), name
    assert all(len(part.encode()) <= 255 and part[-1] not in ". " for part in planned.name.parts), name


def _is_reserved(component: str) -> bool:
    # Python 3.13 has this, and warns of the other.
    newer = getattr(ntpath, "isreserved", None)
    return newer(component) if newer else PureWindowsPath(component).is_reserved()


def _are_apart(names: list[str]) -> None:
    """Require that no two are one file on a system that ignores case or Unicode forms, and none is a folder of
    another."""
    keys = [unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold()) for name in names]
    assert len(set(keys)) == len(keys), names
    assert not (len(keys) > 1 and "." in keys), names
    assert not any(other.startswith(f"{key}/") for key in keys for other in keys), names
