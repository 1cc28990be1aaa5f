"""The life of an artifact in a registry in Azure, with the commands of the README."""

from __future__ import annotations

from pathlib import Path

from tests.live.conftest import Live


def test_files_and_folders_come_back(live: Live, files: Path, tmp_path: Path) -> None:
    artifact = f"{live.repository('content')}:1.0"
    pushed = live("push", artifact, "--file", "artifact.txt", "large.bin", "docs")
    live.sees(lambda shown: shown["digest"] == pushed["digest"], "show", artifact)
    push = ("push", artifact, "--file", "artifact.txt", "large.bin", "docs")
    again = live.sees(lambda again: again["bytesUploaded"] == 0, *push)
    assert again["digest"] == pushed["digest"]
    pulled = live("pull", artifact, "--destination", str(tmp_path / "out"))
    for name in ("artifact.txt", "large.bin", "docs/deep/page.md"):
        assert (tmp_path / "out" / name).read_bytes() == (files / name).read_bytes(), name
    assert pulled["bytesDownloaded"] > (files / "large.bin").stat().st_size
    assert live("pull", artifact, "--destination", str(tmp_path / "out"))["bytesDownloaded"] == 0
    (tmp_path / "out" / "artifact.txt").write_text("changed")
    assert "Files differ from the artifact" in live.refused(
        "pull", artifact, "--destination", str(tmp_path / "out"), "--check"
    )


def test_what_is_attached_is_listed_copied_and_saved(live: Live, files: Path, tmp_path: Path) -> None:
    artifact = f"{live.repository('subject')}:1.0"
    pushed = live("push", artifact, "--file", "artifact.txt", "--artifact-type", "application/vnd.example.thing")
    kind = "application/vnd.example.sbom"
    live("attach", artifact, "--file", "docs/deep/page.md", "--artifact-type", kind)

    def has_one(listed: dict[str, list[dict[str, str]]]) -> bool:
        return [one["artifactType"] for one in listed["referrers"]] == [kind]

    live.sees(has_one, "list-referrers", artifact)
    copied = f"{live.repository('copied')}:1.0"
    live("copy", artifact, "--to", copied, "--recursive")
    live.sees(lambda shown: shown["digest"] == pushed["digest"], "show", copied)
    live.sees(has_one, "list-referrers", copied)
    saved = str(tmp_path / "saved.tar")
    live("backup", artifact, "--destination", saved, "--recursive")
    restored = f"{live.repository('restored')}:1.0"
    live("restore", restored, "--source", saved, "--source-tag", "1.0", "--recursive")
    live.sees(lambda shown: shown["digest"] == pushed["digest"], "show", restored)


def test_tags_locks_and_the_end(live: Live, files: Path) -> None:
    repository = live.repository("life")
    one, two = f"{repository}:1.0", f"{repository}:2.0"
    live("push", one, "--file", "artifact.txt", "--tags", "latest")
    live("push", two, "--file", "docs/deep/page.md")

    def tags_of_two(listed: list[dict[str, list[str]]]) -> list[str]:
        return next((sorted(item["tags"]) for item in listed if "2.0" in item["tags"]), [])

    live.sees(lambda listed: tags_of_two(listed) == ["2.0"], "list", repository)
    assert "names another artifact" in live.refused("tag", two, "--tags", "latest", "--no-overwrite")
    live("tag", two, "--tags", "latest")
    live.sees(lambda listed: tags_of_two(listed) == ["2.0", "latest"], "list", repository)
    live("update", two, "--write-enabled", "false")
    live.sees(lambda shown: not shown["changeableAttributes"]["writeEnabled"], "show", two)
    assert "--write-enabled true" in live.refused("delete", two, "--yes")
    live("update", two, "--write-enabled", "true")
    live.sees(lambda shown: shown["changeableAttributes"]["writeEnabled"], "show", two)
    live("untag", f"{repository}:latest")
    live.sees(lambda listed: tags_of_two(listed) == ["2.0"], "list", repository)
    assert live("purge", repository, "--ago", "1d", "--untagged", "--dry-run")["deletedTags"] == []
    live("delete", two, "--yes")
    live.gone("show", two)
