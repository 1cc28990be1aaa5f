"""Platforms as typed on the command line, and the choice of an artifact from an index."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import InvalidInputError, InvalidManifestError
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import Digest, digest_of
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_MANIFEST
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.platforms import DEEPEST, choose, parse_platform, shown, this_platform
from tests.support.server import ScriptedServer, respond

Open = Callable[[ScriptedServer], Registry]
HERE = Reference("s", "a", "1")
SUBJECT = build_manifest(Descriptor("a/b", digest_of(b"{}"), 2), [])


@given(st.text("abcdefghijklmnopqrstuvwxyz0123456789_/", max_size=20) | st.text(max_size=20))
def test_a_platform_reads_back_or_is_refused(text: str) -> None:
    with contextlib.suppress(InvalidInputError):
        platform = parse_platform(text)
        assert shown(platform) == text
        assert {"os", "architecture"} <= set(platform) <= {"os", "architecture", "variant"}
        assert all(platform.values())


@given(
    st.sampled_from(["linux", "windows", "darwin"]),
    st.sampled_from(["amd64", "arm64", "386"]),
    st.none() | st.just("v8"),
)
def test_valid_platforms_are_parsed(system: str, architecture: str, variant: str | None) -> None:
    text = "/".join(filter(None, (system, architecture, variant)))
    assert parse_platform(text) == {
        "os": system, "architecture": architecture, **({"variant": variant} if variant else {}),
    }  # fmt: skip


def test_an_endlessly_nested_index_is_refused(serve, registry: Open) -> None:
    linux = {"os": "linux", "architecture": "amd64"}
    levels = [SUBJECT]
    for _ in range(DEEPEST + 2):
        below = levels[-1].descriptor
        levels.append(build_index([Descriptor(below.media_type, below.digest, below.size, platform=linux)]))
    served = {manifest.digest: respond(200, manifest.raw, Content_Type=manifest.media_type) for manifest in levels}
    opened = registry(serve(lambda sent: served[Digest(sent.path.rpartition("/")[2])], forever=True))
    assert choose(opened, HERE, levels[3], linux) == SUBJECT
    with pytest.raises(InvalidManifestError, match="too deep"):
        choose(opened, HERE, levels[-1], linux)


def test_several_artifacts_for_a_platform_are_an_error_that_names_them(serve, registry: Open) -> None:
    children = [
        Descriptor(IMAGE_MANIFEST, digest_of(name), 1, platform={"os": "linux", "architecture": "arm", "variant": v})
        for name, v in ((b"6", "v6"), (b"7", "v7"))
    ]
    index = build_index(children, artifact_type="a/b", subject=SUBJECT.descriptor, annotations={"a": "b"})
    assert (index.declared_artifact_type, index.subject, index.annotations) == ("a/b", SUBJECT.descriptor, {"a": "b"})
    opened = registry(serve())
    with pytest.raises(InvalidManifestError, match="several artifacts for linux/arm") as caught:
        choose(opened, HERE, index, {"os": "linux", "architecture": "arm"})
    assert "linux/arm/v6" in caught.value.why
    assert shown(this_platform()).count("/") == 1
    assert shown(None) == "unknown"
