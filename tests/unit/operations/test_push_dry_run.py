"""push and attach in a dry run: what would be sent and whether it may be, with nothing written anywhere."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import attach_output, push_output
from azext_acrartifact.oci.reference import parse_reference
from azext_acrartifact.operations.attach import attach
from azext_acrartifact.operations.file_spec import parse_file_spec
from azext_acrartifact.operations.push import PushOrder, push
from azext_acrartifact.operations.tag import TagRules
from azext_acrartifact.transfer.progress import Progress
from tests.unit.operations.conftest import SERVER

LARGE = 80 * 1024


def order(image: str, *files: str, **options) -> PushOrder:
    return PushOrder(parse_reference(f"{SERVER}/{image}"), [parse_file_spec(file) for file in files], **options)


def written(app) -> list[str]:
    """The requests to the registry since the log was cleared that change what it holds."""
    return [
        f"{one['method']} {one['path']}"
        for one in app.log.entries()
        if one["path"].startswith(("/v2/", "/acr/")) and one["method"] not in ("GET", "HEAD")
    ]


@pytest.fixture
def files(work: Path) -> Path:
    """A small file, one that is worth a question, and a folder."""
    (work / "small.txt").write_text("small")
    (work / "large.bin").write_bytes(bytes(LARGE))
    (work / "docs").mkdir()
    (work / "docs" / "page.md").write_text("A page\n")
    return work


def test_it_says_what_the_push_says_then(signed_in, app, files: Path, tmp_path: Path) -> None:
    registry = signed_in()
    push(registry, order("dry/says:0", "large.bin"), Progress())
    app.log.clear()
    wanted = order("dry/says:1", "small.txt", "large.bin", "docs", tags=["2"], journal_folder=str(tmp_path / "journal"))
    would = push_output(push(registry, replace(wanted, dry_run=True), Progress()))
    assert written(app) == []
    assert [(file["title"], file["state"]) for file in would["files"]] == [
        ("small.txt", "uploaded"), ("large.bin", "skipped"), ("docs", "uploaded"),
    ]  # fmt: skip
    assert not (tmp_path / "journal").exists()
    assert registry.manifests.resolve("dry/says", "1") is None
    assert push_output(push(registry, wanted, Progress())) == would
    again = push(registry, replace(wanted, dry_run=True), Progress())
    assert ({file.state for file in again.files}, again.bytes_uploaded) == ({"skipped"}, 0)


def test_it_needs_the_right_to_push(signed_in, app, files: Path) -> None:
    with pytest.raises(errors.PermissionDeniedError, match="push"):
        push(signed_in("reader"), order("dry/right:1", "small.txt", dry_run=True), Progress())
    assert not [one for one in app.log.entries() if one["path"].startswith("/v2/")]


def test_it_refuses_what_the_push_would(signed_in, app, files: Path) -> None:
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
    with pytest.raises(errors.LockedError):
        push(registry, order("dry/locked:1", "docs"), Progress())
    registry.metadata.change("dry/locked", "1", {"writeEnabled": True})
    push(registry, order("dry/locked:1", "docs", dry_run=True), Progress())
    registry.metadata.change("dry/locked", None, {"writeEnabled": False})
    with pytest.raises(errors.LockedError, match="A lock forbids the push"):
        push(registry, order("dry/locked:2", "docs", dry_run=True), Progress())


@pytest.mark.parametrize("status", [403, 404])
def test_locks_that_cannot_be_read_are_none(status: int, signed_in, app, files: Path) -> None:
    app.faults.add({"path": "^/acr/v1/", "action": "status", "status": status})
    assert push(signed_in(), order("dry/unread:1", "small.txt", dry_run=True), Progress()).tags == ["1"]


def test_without_a_tag_nothing_can_be_overwritten(signed_in, app, files: Path) -> None:
    rules = TagRules(overwrite=False)
    with pytest.raises(errors.InvalidInputError) as caught:
        push(signed_in(), order("dry/tagless", "small.txt", rules=rules), Progress())
    assert "--no-overwrite" in caught.value.hint
    assert app.log.entries() == []
    assert push(signed_in(), order("dry/tagless", "small.txt", tags=["2"], rules=rules), Progress()).tags == ["2"]


def test_an_index_is_not_written(signed_in, app, files: Path) -> None:
    registry = signed_in()
    wanted = order("dry/index:1", "small.txt", platform={"os": "linux", "architecture": "arm64"})
    would = push(registry, replace(wanted, dry_run=True), Progress())
    assert written(app) == []
    assert (would.tags, would.manifest.digest) == (["1"], push(registry, wanted, Progress()).manifest.digest)
    rules = TagRules(overwrite=False)
    push(registry, replace(wanted, rules=rules, dry_run=True), Progress())
    with pytest.raises(errors.RejectedError):
        push(registry, replace(wanted, files=order("a:1", "docs").files, rules=rules, dry_run=True), Progress())


def test_attach_needs_its_subject(signed_in, app, files: Path) -> None:
    registry = signed_in()
    wanted = order("dry/subject:1", "small.txt", artifact_type="application/vnd.example.note")
    with pytest.raises(errors.NotFoundError):
        attach(registry, replace(wanted, dry_run=True), Progress())
    push(registry, order("dry/subject:1", "docs"), Progress())
    app.log.clear()
    would = attach_output(attach(registry, replace(wanted, dry_run=True), Progress()))
    assert written(app) == []
    assert attach_output(attach(registry, wanted, Progress())) == would
