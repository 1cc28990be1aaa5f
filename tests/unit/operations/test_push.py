"""push against the emulator, also in a dry run, and when files change meanwhile."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import attach_output, push_output
from azext_acrartifact.oci.descriptor import Descriptor
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.operations.annotations import Annotations
from azext_acrartifact.operations.attach import attach
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.push import PushOrder, push
from azext_acrartifact.operations.show import show
from azext_acrartifact.operations.tag import TagRules
from azext_acrartifact.transfer.progress import Progress
from tests.unit.operations.conftest import SERVER, count, pull_files, push_files, ref

LARGE = 80 * 1024


SIZE = 6 << 20
"""More than one request sends, so that a byte has been read before the last."""


class AtFirstByte(Progress):
    """Runs *action* when the first byte has moved."""

    def __init__(self, action: Callable[[], object]) -> None:
        self._actions = [action]

    def advanced(self, blob: Descriptor, size: int) -> None:
        """Run it, once."""
        while self._actions:
            self._actions.pop()()


def order(image: str, *files: str, **options) -> PushOrder:
    return PushOrder(parse_reference(f"{SERVER}/{image}"), [parse_file_spec(file) for file in files], **options)


def written(app) -> list[str]:
    """Return the requests that change the registry, since the log was cleared."""
    return [
        f"{one['method']} {one['path']}"
        for one in app.log.entries()
        if one["path"].startswith(("/v2/", "/acr/")) and one["method"] not in ("GET", "HEAD")
    ]


@pytest.fixture
def files(work: Path) -> Path:
    """Write a small file, one that is worth a check, and a folder."""
    (work / "small.txt").write_text("small")
    (work / "large.bin").write_bytes(bytes(LARGE))
    (work / "docs").mkdir()
    (work / "docs" / "page.md").write_text("A page\n")
    return work


def test_a_second_push_sends_nothing(signed_in, app, work: Path) -> None:
    (work / "d").mkdir()
    (work / "d" / "x").write_text("x" * 100)
    (work / "a").write_text("a" * 100_000)
    first = push_files(signed_in(), "again:1", "a", "d")
    app.log.clear()
    second = push_files(signed_in(), "again:1", "a", "d")
    assert second.manifest.digest == first.manifest.digest
    assert (second.bytes_uploaded, {file.state for file in second.files}) == (0, {"skipped"})
    assert count(app, "POST|PUT|PATCH", "/v2/") == count(app, "PUT", "/v2/") == count(app, "POST", "/blobs/") == 0


def test_a_push_without_a_tag_is_by_digest_and_more_tags_are_added(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    registry = signed_in()
    result = push_files(registry, "untagged", "a")
    assert push_output(result)["reference"] == f"{SERVER}/untagged@{result.manifest.digest}"
    result = push_files(registry, "untagged:1", "a", tags=["2", "1", "3"])
    assert result.tags == ["1", "2", "3"]
    assert sorted(show(registry, ref("untagged:2")).tags) == ["1", "2", "3"]


def test_annotations_go_where_they_belong(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    given = Annotations({"m": "1"}, {"c": "2"}, {"a": {"f": "3"}})
    raw = json.loads(push_files(signed_in(), "annotated:1", "a", annotations=given).manifest.raw)
    assert (raw["annotations"], raw["config"]["annotations"]) == ({"m": "1"}, {"c": "2"})
    assert raw["layers"][0]["annotations"]["f"] == "3"


def test_equal_files_are_sent_once(signed_in, app, work: Path, tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (work / name).write_text("same")
    registry = signed_in()
    result = push_files(registry, "equal:1", "a", "b", "c")
    assert sum(file.state == "uploaded" for file in result.files) == 1
    assert result.bytes_uploaded == 4 + 2
    pull_files(registry, "equal:1", tmp_path / "to")
    assert sorted(path.name for path in (tmp_path / "to").iterdir()) == ["a", "b", "c"]


def test_an_empty_artifact_must_be_meant(signed_in, tmp_path: Path) -> None:
    with pytest.raises(errors.InvalidInputError, match="No file"):
        push_files(signed_in(), "empty:1")
    result = push_files(signed_in(), "empty:1", allow_empty=True)
    assert push_output(result)["files"] == []
    assert pull_files(signed_in(), "empty:1", tmp_path).files == []


def test_the_right_to_push_is_known_before_anything_is_sent(signed_in, app, work: Path) -> None:
    (work / "a").write_text("a")
    with pytest.raises(errors.PermissionDeniedError, match="may not push"):
        push_files(signed_in("reader"), "samples/denied:1", "a")
    assert count(app, ".*", "/v2/") == 0
    assert count(app, "POST", "/oauth2/token") == 1


@pytest.mark.parametrize(("size", "part_size"), [(1, None), (5 << 20, 4 << 20)])
def test_a_replica_with_a_missing_blob_is_sent_it_again(
    signed_in, app, work: Path, tmp_path: Path, size: int, part_size
) -> None:
    (work / "a").write_bytes(b"a" * size)
    refusal = json.dumps({"errors": [{"code": "MANIFEST_BLOB_UNKNOWN", "message": "blob unknown to registry"}]})
    app.faults.add(
        {"action": "status", "status": 400, "body": refusal, "method": "PUT", "path": "/manifests/", "times": 1}
    )
    assert push_files(signed_in(), "replica:1", "a", part_size=part_size).tags == ["1"]
    assert count(app, "PUT", "/manifests/") == 2
    pull_files(signed_in(), "replica:1", tmp_path / "to")
    assert (tmp_path / "to/a").read_bytes() == b"a" * size
    app.faults.add({"action": "status", "status": 400, "body": refusal, "method": "PUT", "path": "/manifests/"})
    with pytest.raises(errors.RejectedError):
        push_files(signed_in(), "replica:2", "a", part_size=part_size)


def test_a_push_does_not_choose_its_digest(signed_in, work: Path) -> None:
    (work / "a").write_text("a")
    with pytest.raises(errors.InvalidInputError, match="cannot have a digest"):
        push_files(signed_in(), f"a@{digest_of(b'')}", "a")


def as_planned(done: dict[str, Any]) -> dict[str, Any]:
    """Return the output of a push as its dry run has it."""
    states = {"uploaded": "new", "skipped": "exists"}
    return {"dryRun": True, **done, "files": [{**file, "state": states[file["state"]]} for file in done["files"]]}


def test_a_dry_run_reports_what_the_push_does(signed_in, app, files: Path, tmp_path: Path) -> None:
    registry = signed_in()
    push(registry, order("dry/says:0", "large.bin"), Progress())
    app.log.clear()
    wanted = order(
        "dry/says:1", "small.txt", "large.bin", "docs", tags=["2"], sessions_folder=str(tmp_path / "sessions")
    )
    would = push_output(push(registry, replace(wanted, dry_run=True), Progress()))
    assert written(app) == []
    assert [(file["title"], file["state"]) for file in would["files"]] == [
        ("small.txt", "new"), ("large.bin", "exists"), ("docs", "new"),
    ]  # fmt: skip
    assert not (tmp_path / "sessions").exists()
    assert registry.manifests.resolve("dry/says", "1") is None
    assert as_planned(push_output(push(registry, wanted, Progress()))) == would
    again = push(registry, replace(wanted, dry_run=True), Progress())
    assert ({file.state for file in again.files}, again.bytes_uploaded) == ({"skipped"}, 0)


def test_a_dry_run_needs_the_right_to_push(signed_in, app, files: Path) -> None:
    with pytest.raises(errors.PermissionDeniedError, match="push"):
        push(signed_in("reader"), order("dry/right:1", "small.txt", dry_run=True), Progress())
    assert not [one for one in app.log.entries() if one["path"].startswith("/v2/")]


def test_a_dry_run_refuses_what_the_push_would(signed_in, app, files: Path) -> None:
    registry = signed_in()
    once = order("dry/once:1", "small.txt", rules=TagRules(overwrite=False))
    push(registry, once, Progress())
    app.log.clear()
    push(registry, replace(once, dry_run=True), Progress())
    push(registry, order("dry/once:1", "docs", dry_run=True), Progress())
    for refused, kind in (
        (order("dry/once:1", "docs", rules=once.rules, dry_run=True), errors.RejectedError),
        (order("dry/once:2", "docs", tags=["1"], rules=once.rules, dry_run=True), errors.RejectedError),
        (order("dry/once:2", "docs", tags=["1"], platform={"os": "linux"}, dry_run=True), errors.InvalidInputError),
        (order("dry/once:1", dry_run=True), errors.InvalidInputError),
        (order("dry/once:1", "absent.txt", dry_run=True), errors.LocalFileError),
    ):
        with pytest.raises(kind):
            push(registry, refused, Progress())
    assert written(app) == []


def test_a_lock_is_found_before_anything_is_read(signed_in, app, files: Path) -> None:
    registry = signed_in()
    push(registry, order("dry/locked:1", "small.txt"), Progress())
    registry.metadata.change("dry/locked", "1", {"writeEnabled": False, "deleteEnabled": False})
    with pytest.raises(errors.LockedError) as caught:
        push(registry, order("dry/locked:2", "docs", tags=["1"], dry_run=True), Progress())
    assert caught.value.why == f"{SERVER}/dry/locked:1 has writeEnabled=false"
    assert f"update {SERVER}/dry/locked:1 --write-enabled true" in caught.value.hint
    app.log.clear()
    for tags in ("1", "2"):
        with pytest.raises(errors.LockedError):
            push(registry, order(f"dry/locked:{tags}", "docs", tags=["1"]), Progress())
    assert not any("/blobs/" in entry["path"] for entry in app.log.entries())
    registry.metadata.change("dry/locked", "1", {"writeEnabled": True})
    push(registry, order("dry/locked:1", "docs", dry_run=True), Progress())
    registry.metadata.change("dry/locked", None, {"writeEnabled": False})
    with pytest.raises(errors.LockedError, match="A lock forbids the push"):
        push(registry, order("dry/locked:2", "docs", dry_run=True), Progress())


def test_what_was_done_before_a_failure_is_said(signed_in, app, files: Path) -> None:
    app.faults.add({"method": "PATCH", "path": "/_tags/2", "action": "status", "status": 405})
    with pytest.raises(errors.LockedError) as caught:
        push(signed_in(), order("dry/half:1", "small.txt", tags=["2"], rules=TagRules(lock=True)), Progress())
    assert re.search(
        "Done before: 1 was stored, 2 was stored, sha256:[0-9a-f]{64} was locked, 1 was locked$", caught.value.message
    )


@pytest.mark.parametrize("status", [403, 404])
def test_locks_that_cannot_be_read_are_none(status: int, signed_in, app, files: Path) -> None:
    app.faults.add({"path": "^/acr/v1/", "action": "status", "status": status})
    assert push(signed_in(), order("dry/unread:1", "small.txt", dry_run=True), Progress()).tags == ["1"]


@pytest.mark.parametrize("media_type", ["", "text", "text/", "a b/c"])
def test_the_media_type_of_all_files_has_a_subtype(media_type: str, signed_in, app, files: Path) -> None:
    with pytest.raises(errors.InvalidInputError, match="Not a media type"):
        push(signed_in(), order("types:1", "small.txt", media_type=media_type), Progress())
    assert app.log.entries() == []


def test_without_a_tag_nothing_can_be_overwritten(signed_in, app, files: Path) -> None:
    rules = TagRules(overwrite=False)
    with pytest.raises(errors.InvalidInputError) as caught:
        push(signed_in(), order("dry/tagless", "small.txt", rules=rules), Progress())
    assert "--no-overwrite" in caught.value.hint
    assert app.log.entries() == []
    assert push(signed_in(), order("dry/tagless", "small.txt", tags=["2"], rules=rules), Progress()).tags == ["2"]


def test_a_dry_run_writes_no_index(signed_in, app, files: Path) -> None:
    registry = signed_in()
    wanted = order("dry/index:1", "small.txt", platform={"os": "linux", "architecture": "arm64"})
    would = push(registry, replace(wanted, dry_run=True), Progress())
    assert written(app) == []
    assert (would.tags, would.manifest.digest) == (["1"], push(registry, wanted, Progress()).manifest.digest)
    rules = TagRules(overwrite=False)
    push(registry, replace(wanted, rules=rules, dry_run=True), Progress())
    with pytest.raises(errors.RejectedError):
        push(registry, replace(wanted, files=order("a:1", "docs").files, rules=rules, dry_run=True), Progress())


def test_a_dry_run_of_attach_needs_its_subject(signed_in, app, files: Path) -> None:
    registry = signed_in()
    wanted = order("dry/subject:1", "small.txt", artifact_type="application/vnd.example.note")
    with pytest.raises(errors.NotFoundError):
        attach(registry, replace(wanted, dry_run=True), Progress())
    push(registry, order("dry/subject:1", "docs"), Progress())
    app.log.clear()
    would = attach_output(attach(registry, replace(wanted, dry_run=True), Progress()))
    assert written(app) == []
    assert as_planned(attach_output(attach(registry, wanted, Progress()))) == would


def _rewrite(path: Path) -> None:
    with path.open("r+b") as file:
        file.seek(SIZE - 1)
        file.write(b"X")
    os.utime(path, ns=(1, 1))


CHANGES = {
    "grows": lambda path: os.truncate(path, SIZE + 1),
    "shrinks": lambda path: os.truncate(path, SIZE // 2),
    "is emptied": lambda path: os.truncate(path, 0),
    "is rewritten": _rewrite,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_a_file_that_changes_while_it_is_pushed_is_not_stored(signed_in, app, work: Path, kind: str, change) -> None:
    (work / "d").mkdir()
    path = work / "d/large.bin"
    path.write_bytes(os.urandom(SIZE))
    named = "d/large.bin" if kind == "file" else "d"
    with pytest.raises(errors.LocalFileError, match=r"large\.bin changed while it was pushed"):
        push_files(signed_in(), "changes:1", named, progress=AtFirstByte(lambda: change(path)))
    assert count(app, "PUT", "/manifests/") == 0


def _replaced_by_a_fifo(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


@pytest.mark.parametrize("vanish", [Path.unlink, _replaced_by_a_fifo, lambda path: path.rename(path.parent / "moved")])
def test_a_file_that_vanishes_while_it_is_pushed_is_pushed(signed_in, work: Path, vanish) -> None:
    """Read the open file, which outlives its name."""
    content = os.urandom(SIZE)
    (work / "large.bin").write_bytes(content)
    pushed = push_files(
        signed_in(), "vanishes:1", "large.bin", progress=AtFirstByte(lambda: vanish(work / "large.bin"))
    )
    assert [layer.digest for layer in pushed.manifest.layers] == [digest_of(content)]


def test_a_name_that_is_not_utf8_is_refused_before_anything_is_sent(signed_in, app, work: Path) -> None:
    for make in (lambda name: Path(name).touch(), os.mkdir):
        name = os.fsdecode(b"caf\xe9" + make.__name__.encode())
        make(name)
        with pytest.raises(errors.LocalFileError) as caught:
            push_files(signed_in(), "names:1", name)
        assert "caf\\udce9" in caught.value.message
    assert app.log.entries() == []


@pytest.mark.parametrize("files", [{}, {"a.log": ""}, {".DS_Store": ""}], ids=["empty", "excluded", "default"])
def test_a_folder_without_files_is_not_split(signed_in, work: Path, files: dict[str, str]) -> None:
    (work / "d" / "empty").mkdir(parents=True)
    for name, text in files.items():
        (work / "d" / name).write_text(text)
    with pytest.raises(errors.InvalidInputError, match="No file to push"):
        push_files(signed_in(), "split-empty:1", "d", split=True, exclude=["*.log"])
    assert push_files(signed_in(), "split-empty:1", "d", split=True, exclude=["*.log"], allow_empty=True).files == []


@pytest.mark.parametrize("left_out", ["a.log", ".DS_Store", "below/a.log"])
def test_a_folder_all_of_whose_files_are_left_out_is_not_pushed(signed_in, work: Path, left_out: str) -> None:
    (work / "d" / left_out).parent.mkdir(parents=True)
    (work / "d" / left_out).write_text("")
    with pytest.raises(errors.InvalidInputError, match="No file to push"):
        push_files(signed_in(), "emptied:1", "d", exclude=["*.log"])
    (work / "d" / left_out).unlink()
    assert [file.descriptor.title for file in push_files(signed_in(), "emptied:1", "d", exclude=["*.log"]).files] == [
        "d"
    ]


def test_what_was_left_out_by_default_or_by_nothing_is_in_the_result(signed_in, work: Path) -> None:
    (work / "d/.git").mkdir(parents=True)
    for name in ("a.log", "b.txt"):
        (work / "d" / name).write_text("")
    result = push_output(push_files(signed_in(), "left-out:1", "d", exclude=["*.log", "{a,b}"]))
    assert (result["leftOut"], result["unmatchedPatterns"]) == (["d/.git"], ["{a,b}"])


@pytest.mark.parametrize(
    ("names", "options"),
    [
        (["a.txt", "run.sh"], {"annotations": Annotations(manifest={"k": "v"}, files={"a.txt": {"n": "é"}})}),
        (["a.txt", "large"], {"part_size": 4 << 20, "artifact_type": "a/b", "tags": ["2"]}),
        (["docs", "a.txt"], {"image_spec": "v1.0", "config": parse_file_spec("a.txt:a/c")}),
    ],
)
def test_a_manifest_that_would_be_too_large_is_known_before_anything_is_sent(
    signed_in, app, work: Path, monkeypatch: pytest.MonkeyPatch, names: list[str], options: dict[str, Any]
) -> None:
    (work / "docs").mkdir()
    for name in ("a.txt", "run.sh", "docs/b.txt"):
        (work / name).write_text(name * 99)
    (work / "run.sh").chmod(0o755)
    (work / "large").write_bytes(bytes(5 << 20))
    pushed = push(signed_in(), order("samples/room:1", *names, **options), Progress())
    # The size of a packed folder is unknown before it is sent.
    unknown = sum(len(str(file.descriptor.size)) - 1 for file in pushed.files if file.descriptor.title == "docs")
    least = len(pushed.manifest.raw) - unknown
    monkeypatch.setattr("azext_acrartifact.oci.manifest.MANIFEST_LIMIT", least - 1)
    app.log.clear()
    with pytest.raises(errors.InvalidManifestError, match=f"files make {least} bytes; the limit is {least - 1}"):
        push(signed_in(), order("samples/room:2", *names, **options), Progress())
    assert not app.log.entries()
    monkeypatch.setattr("azext_acrartifact.oci.manifest.MANIFEST_LIMIT", least + unknown)
    push(signed_in(), order("samples/room:2", *names, **options), Progress())
