"""tag: a tag of another artifact is not overwritten, even if another writer is faster."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import Manifest
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.oci.registry import Registry
from azext_acrartifact.operations.tag import TagRules, tag
from tests.support.server import RawResponse, ScriptedServer, respond

MINE, OTHER = build_index([]), build_index([], annotations={"of": "another writer"})
RULES = TagRules(overwrite=False, lock=True)


def resolved(manifest: Manifest) -> RawResponse:
    """Return the response to a HEAD request for *manifest*."""
    fields = {"Content_Length": str(manifest.size), "Content_Type": manifest.media_type}
    return respond(200, **fields, Docker_Content_Digest=manifest.digest)


@pytest.mark.parametrize("winner", [MINE, OTHER], ids=["mine", "other"])
def test_a_tag_is_checked_again_once_it_is_locked(
    serve: Callable[..., ScriptedServer], registry: Callable[..., Registry], winner: Manifest
) -> None:
    """Both writers find the tag free, and the slower one overwrites it before the first one locks it."""
    stored = respond(200, MINE.raw, Content_Type=MINE.media_type)
    server = serve(stored, respond(404), respond(201), respond(200, b"{}"), respond(200, b"{}"), resolved(winner))
    opened, reference = registry(server), Reference(server.server, "a", "1")
    if winner is MINE:
        assert tag(opened, reference, ["new"], RULES).tags == ["new"]
    else:
        with pytest.raises(errors.RejectedError, match="names another artifact"):
            tag(opened, reference, ["new"], RULES)
    assert [request.method for request in server.requests] == ["GET", "HEAD", "PUT", "PATCH", "PATCH", "HEAD"]
