"""Lists of referrers: by the API, or under tags where there is none."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from azext_acrartifact import errors
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.index import build_index
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.mediatypes import IMAGE_INDEX, IMAGE_MANIFEST
from azext_acrartifact.oci.referrers import LAG_TRIES, is_referrers_tag, owner_of, referrers_tag
from azext_acrartifact.oci.registry import Registry
from tests.support.descriptors import empty_descriptor
from tests.support.server import RawResponse, ScriptedServer, respond
from tests.unit.oci.samples import D

Open = Callable[[ScriptedServer], Registry]
LIST = D.replace(":", "-")
SUBJECT = build_manifest(empty_descriptor(), [])
ATTACHED = build_manifest(empty_descriptor(), [], artifact_type="a/b", subject=SUBJECT.descriptor)


@pytest.mark.parametrize(
    ("tag", "is_list", "owner"),
    [(LIST, True, D), (f"{LIST}.sig", False, D), (LIST[:-1], False, None), ("sha256-x", False, None)],
)
def test_a_tag_made_from_a_digest_is_recognized(tag: str, is_list: bool, owner: str | None) -> None:
    assert (is_referrers_tag(tag), owner_of(tag)) == (is_list, owner)


def test_the_tag_of_a_list_has_a_hyphen_for_the_colon() -> None:
    assert referrers_tag(D) == LIST  # type: ignore[arg-type]


def listing(*children: Descriptor) -> RawResponse:
    """Return a response of the referrers API."""
    return respond(200, build_index(children).raw, Content_Type=IMAGE_INDEX)


def failed(status: int, code: str = "", message: str = "") -> RawResponse:
    """Return an error response."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode() if code else b"404 page not found\n"
    return respond(status, body)


UNKNOWN = failed(404, "MANIFEST_UNKNOWN", f"manifest {SUBJECT.digest} is not found")
STORED = respond(201)
LISTS = [f"GET /v2/a/referrers/{SUBJECT.digest}"]


def test_a_replica_that_does_not_know_the_subject_is_asked_again(serve, registry: Open, notices: list[str]) -> None:
    server = serve(UNKNOWN, UNKNOWN, listing(ATTACHED.descriptor))
    assert list(registry(server).referrers.of("a", SUBJECT.digest)) == [ATTACHED.descriptor]
    assert len(notices) == 2


@pytest.mark.parametrize("code", ["MANIFEST_UNKNOWN", "NAME_UNKNOWN"])
def test_a_replica_that_never_knows_it_is_an_error(serve, registry: Open, code: str) -> None:
    server = serve(lambda sent: failed(404, code, "it is not found"), forever=True)
    opened = registry(server)
    with pytest.raises(errors.RejectedError, match=r"Could not list the referrers.*it is not found") as caught:
        list(opened.referrers.of("a", SUBJECT.digest))
    assert (caught.value.code, len(server.requests)) == (code, LAG_TRIES)
    assert "geo-replica" in caught.value.hint
    assert not opened.referrers.uses_tag_schema("a")


def test_a_missing_api_is_said_once_for_each_repository(serve, registry: Open, notices: list[str]) -> None:
    opened = registry(serve(lambda sent: respond(404), forever=True))
    for repository in ("a", "a", "b"):
        assert list(opened.referrers.of(repository, SUBJECT.digest)) == []
    assert [repository for repository in "abc" if opened.referrers.uses_tag_schema(repository)] == ["a", "b"]
    assert [notice.partition(":")[0] for notice in notices] == ["No referrers API in a", "No referrers API in b"]


def test_an_api_that_listed_once_is_not_missing_later(serve, registry: Open) -> None:
    server = serve(listing(), *[respond(404)] * LAG_TRIES)
    opened = registry(server)
    assert list(opened.referrers.of("a", SUBJECT.digest)) == []
    with pytest.raises(errors.RejectedError, match="status 404"):
        list(opened.referrers.of("a", ATTACHED.digest))


@pytest.mark.parametrize("first", [listing(), UNKNOWN])
def test_no_tag_is_written_where_the_registry_lists(serve, registry: Open, first: RawResponse) -> None:
    """ACR's 201 was recorded without OCI-Subject."""
    server = serve(STORED, first, STORED, *([first] if first is UNKNOWN else []))
    opened = registry(server)
    for _ in range(2):
        opened.referrers.store("a", ATTACHED, "1.0")
    put = "PUT /v2/a/manifests/1.0"
    assert server.lines() == [put, *LISTS, put, *(LISTS if first is UNKNOWN else [])]


def test_a_registry_that_confirms_the_subject_is_not_asked(serve, registry: Open) -> None:
    server = serve(respond(201, OCI_Subject=SUBJECT.digest), STORED)
    opened = registry(server)
    for _ in range(2):
        opened.referrers.store("a", ATTACHED, "1.0")
    assert server.lines() == ["PUT /v2/a/manifests/1.0"] * 2


@pytest.mark.parametrize(
    ("first", "kind"),
    [
        (failed(403, "DENIED"), errors.PermissionDeniedError),
        (failed(405, "REGISTRY_DISALLOWED_OPERATION"), errors.LockedError),
        (respond(200, SUBJECT.raw, Content_Type=IMAGE_MANIFEST), errors.ProtocolError),
    ],
)
def test_no_tag_is_written_after_another_error(serve, registry: Open, first: RawResponse, kind: type) -> None:
    server = serve(STORED, first)
    with pytest.raises(kind):
        registry(server).referrers.store("a", ATTACHED, "1.0")
    assert server.lines() == ["PUT /v2/a/manifests/1.0", *LISTS]


@pytest.mark.parametrize("first", [failed(404), failed(405, "UNSUPPORTED"), failed(424, "UNKNOWN", "status code 303")])
def test_without_an_api_the_tag_is_written(serve, registry: Open, first: RawResponse) -> None:
    server = serve(STORED, first, respond(404), STORED, respond(404), STORED)
    opened = registry(server)
    with pytest.raises(errors.ConnectionFailedError):  # the script ends
        opened.referrers.store("a", ATTACHED, "1.0")
    tag = f"/v2/a/manifests/{referrers_tag(SUBJECT.digest)}"
    assert server.lines()[1:4] == [*LISTS, f"HEAD {tag}", f"PUT {tag}"]
    assert json.loads(server.requests[3].body)["manifests"][0]["digest"] == ATTACHED.digest
