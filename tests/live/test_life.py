"""The life of an artifact in a registry in Azure, with the commands of the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.live.conftest import Live


def test_files_and_folders_come_back(live: Live, files: Path, tmp_path: Path) -> None:
    artifact = f"{live.repository('content')}:1.0"
    pushed = live("push", artifact, "--file", "artifact.txt", "large.bin", "docs")
    assert live("show", artifact)["digest"] == pushed["digest"]
    again = live("push", artifact, "--file", "artifact.txt", "large.bin", "docs")
    assert (again["digest"], again["bytesUploaded"]) == (pushed["digest"], 0)
    pulled = live("pull", artifact, "--destination", str(tmp_path / "out"))
    for name in ("artifact.txt", "large.bin", "docs/deep/page.md"):
        assert (tmp_path / "out" / name).read_bytes() == (files / name).read_bytes(), name
    assert pulled["bytesDownloaded"] > 40 * 1024 * 1024
    assert live("pull", artifact, "--destination", str(tmp_path / "out"))["bytesDownloaded"] == 0
    (tmp_path / "out" / "artifact.txt").write_text("changed")
    assert "not as in the artifact" in live.refused("pull", artifact, "--destination", str(tmp_path / "out"), "--check")


def test_what_is_attached_is_listed_copied_and_saved(live: Live, files: Path, tmp_path: Path) -> None:
    artifact = f"{live.repository('subject')}:1.0"
    pushed = live("push", artifact, "--file", "artifact.txt", "--artifact-type", "application/vnd.example.thing")
    kind = "application/vnd.example.sbom"
    live("attach", artifact, "--file", "docs/deep/page.md", "--artifact-type", kind)
    (referrer,) = live("list-referrers", artifact)["referrers"]
    assert referrer["artifactType"] == kind
    copied = f"{live.repository('copied')}:1.0"
    live("copy", artifact, "--to", copied, "--recursive")
    assert live("show", copied)["digest"] == pushed["digest"]
    assert len(live("list-referrers", copied)["referrers"]) == 1
    saved = str(tmp_path / "saved.tar")
    live("backup", artifact, "--destination", saved, "--recursive")
    live("restore", f"{live.repository('restored')}:1.0", "--source", saved, "--source-tag", "1.0", "--recursive")
    assert live("show", f"{live.repository('restored')}:1.0")["digest"] == pushed["digest"]


def test_tags_locks_and_the_end(live: Live, files: Path) -> None:
    repository = live.repository("life")
    live("push", f"{repository}:1.0", "--file", "artifact.txt", "--tags", "latest")
    live("push", f"{repository}:2.0", "--file", "docs/deep/page.md")
    assert "names another artifact" in live.refused("tag", f"{repository}:2.0", "--tags", "latest", "--no-overwrite")
    live("tag", f"{repository}:2.0", "--tags", "latest")
    (two,) = [one for one in live("list", repository) if "2.0" in one["tags"]]
    assert sorted(two["tags"]) == ["2.0", "latest"]
    live("update", f"{repository}:2.0", "--write-enabled", "false")
    assert "--write-enabled true" in live.refused("delete", f"{repository}:2.0", "--yes")
    live("update", f"{repository}:2.0", "--write-enabled", "true")
    live("untag", f"{repository}:latest")
    assert live("purge", repository, "--ago", "1d", "--untagged", "--dry-run")["deletedTags"] == []
    live("delete", f"{repository}:2.0", "--yes")
    assert "does not exist" in live.refused("show", f"{repository}:2.0")


def test_print_what_the_documentation_leaves_open(live: Live, files: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Print how the service behaves, for its documentation; nothing is asserted about it."""
    repository = live.repository("open")
    name = live.server.partition(".")[0]
    live("push", f"{repository}:1", "--file", "artifact.txt", "--tags", "2")

    def changed() -> str:
        return str(live("show", f"{repository}:1")["lastUpdateTime"])

    before = changed()
    live("untag", f"{repository}:2")
    found = {"does an artifact's lastUpdateTime change when it loses a tag?": changed() != before}
    live("update", f"{repository}:1", "--write-enabled", "false")
    image = f"{repository.partition('/')[2]}@{live('show', f'{repository}:1')['digest']}"
    deleted = live.az("acr", "repository", "delete", "--name", name, "--image", image, "--yes")
    found["does a locked tag keep its artifact from being deleted?"] = deleted.returncode != 0
    with capsys.disabled():
        print(*(f"\n{question} {'yes' if is_so else 'no'}" for question, is_so in found.items()))
