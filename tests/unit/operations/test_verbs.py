"""push, pull, show and delete against the emulator's registry."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import pull_output, push_output, show_output
from azext_acrartifact.files.globs import Selection
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.manifest import build_manifest
from azext_acrartifact.oci.reference import Reference, parse_reference
from azext_acrartifact.operations.annotations import Annotations
from azext_acrartifact.operations.delete import delete, plan_delete
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.pull import PullOrder, pull
from azext_acrartifact.operations.push import PushOrder, push
from azext_acrartifact.operations.show import show, show_raw
from azext_acrartifact.transfer.progress import Progress
from tests.support.descriptors import empty_descriptor
from tests.support.server import answer
from tests.unit.operations.conftest import SERVER


def ref(image: str):
    return parse_reference(f"{SERVER}/{image}")


def sent(registry, image: str, *files: str, **options):
    return push(registry, PushOrder(ref(image), [parse_file_spec(file) for file in files], **options), Progress())


def fetched(registry, image: str, destination: Path, **options):
    return pull(registry, PullOrder(ref(image), str(destination), **options), Progress())


def asked(app, method: str, path: str) -> int:
    """How often the login server got such a request."""
    return sum(
        1
        for one in app.log.entries()
        if re.fullmatch(method, one["method"]) and one["host"] == SERVER and re.search(path, one["path"])
    )


def test_the_articles_artifact_goes_up_and_comes_back(signed_in, app, work: Path, tmp_path: Path) -> None:
    (work / "artifact.txt").write_text("Here is an artifact\n")
    registry = signed_in()
    files = ["./artifact.txt:application/vnd.unknown.layer.v1+txt"]
    config = parse_file_spec("/dev/null:application/vnd.unknown.config.v1+json")
    result = sent(registry, "samples/artifact:1.0", *files, config=config)
    out = push_output(result)
    assert out["reference"] == f"{SERVER}/samples/artifact:1.0"
    assert (out["tags"], out["bytesUploaded"], out["bytesSkipped"]) == (["1.0"], 20, 0)
    assert out["files"] == [
        {
            "title": "artifact.txt",
            "digest": digest_of(b"Here is an artifact\n"),
            "size": 20,
            "mediaType": "application/vnd.unknown.layer.v1+txt",
            "state": "uploaded",
        }
    ]
    pulled = fetched(
        registry,
        "samples/artifact:1.0",
        tmp_path / "to",
        selection=Selection.of(media_types=["application/vnd.unknown.layer.v1+txt"]),
        config_path=str(tmp_path / "c"),
    )
    assert (tmp_path / "to" / "artifact.txt").read_text() == "Here is an artifact\n"
    assert (tmp_path / "c").read_bytes() == b""
    assert pull_output(pulled)["files"][0]["state"] == "downloaded"
    again = fetched(registry, "samples/artifact:1.0", tmp_path / "to")
    assert (again.files[0].state, again.bytes_downloaded, again.bytes_skipped) == ("unchanged", 0, 20)


def test_a_second_push_sends_nothing(signed_in, app, work: Path) -> None:
    (work / "d").mkdir()
    (work / "d" / "x").write_text("x" * 100)
    (work / "a").write_text("a" * 100_000)
    first = sent(signed_in(), "again:1", "a", "d")
    app.log.clear()
    second = sent(signed_in(), "again:1", "a", "d")
    assert second.manifest.digest == first.manifest.digest
    assert (second.bytes_uploaded, {file.state for file in second.files}) == (0, {"skipped"})
    assert asked(app, "POST|PUT|PATCH", "/v2/") == asked(app, "PUT", "/v2/") == asked(app, "POST", "/blobs/") == 0


def test_a_push_without_a_tag_is_by_digest_and_more_tags_are_added(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    registry = signed_in()
    result = sent(registry, "untagged", "a")
    assert push_output(result)["reference"] == f"{SERVER}/untagged@{result.manifest.digest}"
    result = sent(registry, "untagged:1", "a", tags=["2", "1", "3"])
    assert result.tags == ["1", "2", "3"]
    assert sorted(show(registry, ref("untagged:2")).tags) == ["1", "2", "3"]


def test_annotations_go_where_they_belong(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    given = Annotations({"m": "1"}, {"c": "2"}, {"a": {"f": "3"}})
    raw = json.loads(sent(signed_in(), "annotated:1", "a", annotations=given).manifest.raw)
    assert (raw["annotations"], raw["config"]["annotations"]) == ({"m": "1"}, {"c": "2"})
    assert raw["layers"][0]["annotations"]["f"] == "3"


def test_equal_files_are_sent_once(signed_in, app, work: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (work / name).write_text("same")
    registry = signed_in()
    result = sent(registry, "equal:1", "a", "b", "c")
    assert sum(file.state == "uploaded" for file in result.files) == 1
    assert result.bytes_uploaded == 4 + 2
    fetched(registry, "equal:1", tmp_path / "to")
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["a", "b", "c"]


def test_a_large_file_and_a_folder_come_back(signed_in, work: Path, tmp_path: Path) -> None:
    (work / "big").write_bytes(bytes(range(256)) * 4096 * 18)
    (work / "d" / "e").mkdir(parents=True)
    (work / "d" / "e" / "x").write_text("deep")
    registry = signed_in()
    sent(registry, "large:1", "big", "d")
    result = fetched(registry, "large:1", tmp_path / "to")
    assert (tmp_path / "to" / "big").read_bytes() == (work / "big").read_bytes()
    assert (tmp_path / "to" / "d" / "e" / "x").read_text() == "deep"
    assert {file.state for file in result.files} == {"downloaded"}


def test_an_empty_artifact_must_be_meant(signed_in, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInputError, match="No file"):
        sent(signed_in(), "empty:1")
    result = sent(signed_in(), "empty:1", allow_empty=True)
    assert push_output(result)["files"] == []
    assert fetched(signed_in(), "empty:1", tmp_path).files == []


def test_the_right_to_push_is_known_before_anything_is_sent(signed_in, app, work: Path) -> None:
    (work / "a").write_text("a")
    with pytest.raises(errors.PermissionDeniedError, match="may not push"):
        sent(signed_in("reader"), "samples/denied:1", "a")
    assert asked(app, ".*", "/v2/") == 0
    assert asked(app, "POST", "/oauth2/token") == 1


def test_a_replica_that_lacks_a_blob_is_sent_it_once_more(signed_in, app, work: Path) -> None:
    (work / "a").write_text("a")
    refusal = json.dumps({"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]})
    app.faults.add(
        {"action": "status", "status": 400, "body": refusal, "method": "PUT", "path": "/manifests/", "times": 1}
    )
    assert sent(signed_in(), "replica:1", "a").tags == ["1"]
    assert asked(app, "PUT", "/manifests/") == 2
    app.faults.add({"action": "status", "status": 400, "body": refusal, "method": "PUT", "path": "/manifests/"})
    with pytest.raises(errors.RejectedError):
        sent(signed_in(), "replica:2", "a")


@pytest.mark.parametrize("verb", [show, show_raw, plan_delete])
def test_what_does_not_exist_is_not_found(signed_in, verb) -> None:
    with pytest.raises(errors.NotFoundError):
        verb(signed_in(), ref("nothing:1"))


@pytest.mark.parametrize("verb", [show, show_raw, plan_delete])
def test_a_repository_alone_is_no_artifact(signed_in, verb, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInputError, match="No tag and no digest"):
        verb(signed_in(), ref("nothing"))
    with pytest.raises(errors.InvalidInputError, match="No tag and no digest"):
        fetched(signed_in(), "nothing", tmp_path)


def test_a_push_does_not_choose_its_digest(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    with pytest.raises(errors.InvalidInputError, match="choose its digest"):
        sent(signed_in(), f"a@{digest_of(b'')}", "a")


def test_show_tells_what_there_is_by_tag_and_by_digest(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    registry = signed_in()
    digest = sent(registry, "shown:1", "a", artifact_type="a/b", tags=["2"]).manifest.digest
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
    stored = answer(200, manifest.raw, Content_Type=manifest.media_type)
    server = serve(stored, answer(200, b'{"manifest":{"tags":' + tags + b"}}"))
    opened = registry(server)
    assert show(opened, Reference(server.server, "a", digest=manifest.digest)).tags == shown


def test_delete_takes_the_manifest_and_its_tags(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    registry = signed_in()
    digest = sent(registry, "deleted:1", "a", tags=["2"]).manifest.digest
    deletion = plan_delete(registry, ref("deleted:1"))
    assert (deletion.digest, sorted(deletion.tags), list(deletion.referrers)) == (digest, ["1", "2"], [])
    delete(registry, deletion)
    delete(registry, deletion)
    with pytest.raises(errors.NotFoundError):
        show(registry, ref("deleted:2"))


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 503, "times": 2},
        {"action": "status", "status": 429, "headers": {"Retry-After": "0"}, "times": 1},
        {"action": "reset", "times": 2},
        {"action": "reset", "where": "answer", "times": 1},
        {"action": "expire_token", "times": 1},
    ],
    ids=lambda fault: f"{fault['action']}-{fault.get('where', fault.get('status', ''))}",
)
def test_faults_that_pass_are_outlived(signed_in, app, work: Path, tmp_path: Path, fault) -> None:
    (work / "a").write_text("a" * 100_000)
    app.faults.add({**fault, "host": SERVER, "path": "/v2/"})
    name = f"faults-{fault['action'].replace('_', '-')}-{fault.get('where', fault.get('status', 'x'))}"
    sent(signed_in(), f"{name}:1", "a")
    app.faults.remove()
    app.faults.add({**fault, "path": "/v2/|blob"})
    fetched(signed_in(), f"{name}:1", tmp_path / "to")
    assert (tmp_path / "to" / "a").read_text() == "a" * 100_000


def test_corrupt_bytes_never_get_a_name(signed_in, app, work: Path, tmp_path: Path) -> None:
    (work / "a").write_text("a" * 1000)
    sent(signed_in(), "corrupt:1", "a")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a").write_text("mine")
    app.faults.add({"action": "corrupt", "offset": 5, "host": "*.blob.core.windows.net"})
    with pytest.raises(errors.DigestMismatchError):
        fetched(signed_in(), "corrupt:1", tmp_path / "to")
    assert [path.read_text() for path in (tmp_path / "to").iterdir()] == ["mine"]


def test_no_token_goes_to_the_storage_host(signed_in, app, work: Path, tmp_path: Path) -> None:
    (work / "a").write_text("a" * 1000)
    sent(signed_in(), "storage:1", "a")
    fetched(signed_in(), "storage:1", tmp_path / "to")
    storage = [one for one in app.log.entries() if one["host"].endswith(".blob.core.windows.net")]
    fields = [
        {name.lower() for name, *_ in one["headers"].items()}
        if isinstance(one["headers"], dict)
        else {pair[0].lower() for pair in one["headers"]}
        for one in storage
        if one["method"] == "GET"
    ]
    assert fields
    assert not any("authorization" in one for one in fields)
