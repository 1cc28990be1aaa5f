"""show and delete against the emulator."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import show_output
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.reference import Reference
from azext_acrartifact.operations.attach import attach
from azext_acrartifact.operations.delete import delete, plan_delete
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.push import PushOrder
from azext_acrartifact.operations.show import show, show_raw
from azext_acrartifact.operations.tag import TagRules, tag
from azext_acrartifact.transfer.progress import Progress
from tests.support.descriptors import empty_descriptor
from tests.support.server import RawResponse, Sent, respond
from tests.unit.operations.conftest import pull_files, push_files, ref


@pytest.mark.parametrize("verb", [show, show_raw, plan_delete])
def test_what_does_not_exist_is_not_found(signed_in, verb) -> None:
    with pytest.raises(errors.NotFoundError):
        verb(signed_in(), ref("nothing:1"))


@pytest.mark.parametrize("verb", [show, show_raw, plan_delete])
def test_a_repository_alone_is_no_artifact(signed_in, verb, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInputError, match="No tag and no digest"):
        verb(signed_in(), ref("nothing"))
    with pytest.raises(errors.InvalidInputError, match="No tag and no digest"):
        pull_files(signed_in(), "nothing", tmp_path)


def test_show_finds_the_same_by_tag_and_by_digest(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    registry = signed_in()
    digest = push_files(registry, "shown:1", "a", artifact_type="a/b", tags=["2"]).manifest.digest
    by_tag, by_digest = show(registry, ref("shown:1")), show(registry, ref(f"shown@{digest}"))
    assert sorted(by_tag.tags) == sorted(by_digest.tags) == ["1", "2"]
    out = show_output(by_tag)
    assert (out["name"], out["digest"], out["artifactType"], out["signed"]) == ("1", digest, "a/b", False)
    assert out["changeableAttributes"]["deleteEnabled"] is True
    assert show_output(by_digest)["name"] is None
    assert digest_of(show_raw(registry, ref("shown:1"))) == digest


@pytest.mark.parametrize(("tags", "shown"), [(b"5", []), (b'"12"', []), (b'["1",5,null]', ["1"]), (b"null", [])])
def test_tags_of_another_shape_are_none(serve, registry, tags: bytes, shown: list[str]) -> None:
    manifest = build_manifest(empty_descriptor(), [])
    stored = respond(200, manifest.raw, Content_Type=manifest.media_type)
    server = serve(stored, respond(200, b'{"manifest":{"tags":' + tags + b"}}"))
    opened = registry(server)
    assert show(opened, Reference(server.server, "a", digest=manifest.digest)).tags == shown


def test_delete_takes_the_manifest_and_its_tags(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    registry = signed_in()
    digest = push_files(registry, "deleted:1", "a", tags=["2"]).manifest.digest
    deletion = plan_delete(registry, ref("deleted:1"))
    assert (deletion.digest, sorted(deletion.tags), list(deletion.referrers)) == (digest, ["1", "2"], [])
    delete(registry, deletion)
    delete(registry, deletion)
    with pytest.raises(errors.NotFoundError):
        show(registry, ref("deleted:2"))


@pytest.mark.parametrize(
    "raw", [b"no JSON", b'{"layers":[{"size":-1}]}', b'{"schemaVersion":2,"manifests":[],"layers":[]}']
)
def test_commands_that_need_only_the_bytes_take_any_manifest(serve, registry, work: Path, raw: bytes) -> None:
    digest = digest_of(raw)
    stored = respond(200, raw, Content_Type="application/x; charset=utf-8", Docker_Content_Digest=digest)

    def play(sent: Sent) -> RawResponse:
        if sent.method == "POST":
            return respond(202, Location="/v2/a/blobs/uploads/x?_state=1")
        if sent.method == "PUT":
            return respond(201, OCI_Subject=digest)
        return stored if sent.path.endswith(("/manifests/1", digest)) else respond(404)

    server = serve(play, forever=True)
    opened, reference = registry(server), Reference(server.server, "a", "1")
    (work / "a").write_text("a")
    assert show_raw(opened, reference) == raw
    assert tag(opened, reference, ["2"], TagRules()).manifest.digest == digest
    assert server.requests[-1].body == raw
    order = PushOrder(reference, [parse_file_spec("a")], artifact_type="a/b")
    assert attach(opened, order, Progress()).subject.digest == digest
    assert json.loads(server.requests[-1].body)["subject"] == {
        "mediaType": "application/x", "digest": digest, "size": len(raw)
    }  # fmt: skip
    with pytest.raises(errors.InvalidManifestError):
        pull_files(opened, "a:1", work / "out")
