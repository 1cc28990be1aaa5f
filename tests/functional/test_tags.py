"""tag, untag and update: tags are added, removed, protected and locked, and errors name the locks."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from tests.functional.az import Az
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin, digest_of


@pytest.fixture
def other(origin: Origin, repository: str) -> str:
    """Push another artifact with the tag taken; return its digest."""
    return origin.push_files(repository, {"a.txt": b"two"}, "taken")


def digest_at(origin: Origin, repository: str, tag: str) -> str | None:
    """Return the digest that *tag* names."""
    raw = origin.manifest(repository, tag)
    return digest_of(raw) if raw else None


def test_tags_are_added(az: Az, artifact: str, repository: str, digest: str, other: str, origin: Origin) -> None:
    done = az.artifact("tag", artifact, "--tags", "stable", "taken", "stable")
    assert done.json == {"reference": f"{SERVER}/{repository}@{digest}", "digest": digest, "tags": ["stable", "taken"]}
    assert {digest_at(origin, repository, tag) for tag in ("1.0", "stable", "taken")} == {digest}
    assert len(done.writes) == 2


def test_no_overwrite_protects_the_tag_of_another_artifact(
    az: Az, artifact: str, repository: str, digest: str, other: str, origin: Origin
) -> None:
    refused = az.refused(1, "tag", artifact, "--tags", "new", "taken", "--no-overwrite")
    assert other in refused.stderr
    assert refused.writes == []
    assert digest_at(origin, repository, "taken") == other
    az.artifact("tag", artifact, "--tags", "new", "1.0", "--no-overwrite")
    assert digest_at(origin, repository, "new") == digest


def test_a_push_with_no_overwrite_protects_tags(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin, work: Path
) -> None:
    (work / "a.txt").write_text("other")
    refused = az.refused(1, "push", artifact, "--file", "a.txt", "--no-overwrite")
    assert "--no-overwrite" in refused.stderr
    assert refused.registry("/manifests/", "PUT") == []
    assert digest_at(origin, repository, "1.0") == digest
    new = f"{SERVER}/{repository}:2.0"
    first = az.artifact("push", new, "--file", "a.txt", "--no-overwrite").json
    assert az.artifact("push", new, "--file", "a.txt", "--no-overwrite").json["digest"] == first["digest"]


def test_a_tag_is_removed_and_the_artifact_stays(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin
) -> None:
    az.artifact("tag", artifact, "--tags", "more")
    more = f"{SERVER}/{repository}:more"
    assert az.artifact("untag", more).json == {"reference": more, "tag": "more"}
    assert origin.manifest(repository, "more") is None
    assert digest_at(origin, repository, "1.0") == digest
    az.refused(3, "untag", f"{SERVER}/{repository}:more")
    az.refused(1, "untag", f"{SERVER}/{repository}@{digest}")


def test_a_push_locks_the_artifact_and_its_tags(az: Az, artifact: str, repository: str, work: Path) -> None:
    (work / "a.txt").write_text("one")
    pushed = az.artifact("push", artifact, "--file", "a.txt", "--tags", "also", "--lock", "--no-overwrite").json
    (work / "a.txt").write_text("two")
    for tag in ("1.0", "also"):
        refused = az.refused(1, "push", f"{SERVER}/{repository}:{tag}", "--file", "a.txt")
        assert f"{repository}:{tag} has writeEnabled=false" in refused.stderr
        assert f"az acr artifact update {SERVER}/{repository}:{tag} --write-enabled true" in refused.stderr
    refused = az.refused(1, "delete", artifact, "--yes")
    assert all(f"{repository}:{tag} has writeEnabled=false" in refused.stderr for tag in ("1.0", "also"))
    refused = az.refused(1, "delete", artifact, "--yes", "--force")
    assert f"{pushed['digest']} has writeEnabled=false" in refused.stderr
    assert f"update {SERVER}/{repository}@{pushed['digest']} --write-enabled true" in refused.stderr
    assert "has writeEnabled=false" in az.refused(1, "untag", artifact).stderr


def test_each_attribute_is_set_and_reset(
    az: Az, artifact: str, repository: str, digest: str, subtests: pytest.Subtests
) -> None:
    references = (artifact, f"{SERVER}/{repository}@{digest}")
    options = ("delete", "list", "read", "write")
    steps = list(itertools.product(references, options, ("false", "true")))
    commands = [["update", reference, f"--{option}-enabled", value] for reference, option, value in steps]
    for (reference, option, value), done in zip(steps, in_one_process(az, commands), strict=True):
        with subtests.test(reference=reference, option=option, value=value):
            assert (done.code, done.stderr) == (0, "")
            expected: dict[str, Any] = {f"{name}Enabled": True for name in options}
            assert done.json["changeableAttributes"] == {**expected, f"{option}Enabled": value == "true"}


def test_a_repository_is_locked_and_unlocked(az: Az, repository: str, digest: str, work: Path) -> None:
    repository_only = ("--name", "myregistry", "--repository", repository)
    az.artifact("update", *repository_only, "--write-enabled", "false")
    (work / "a.txt").write_text("other")
    refused = az.refused(1, "push", f"{SERVER}/{repository}:2.0", "--file", "a.txt")
    assert f"--repository {repository} --write-enabled true" in refused.stderr
    az.artifact("update", *repository_only, "--write-enabled", "true")
    az.artifact("push", f"{SERVER}/{repository}:2.0", "--file", "a.txt")


def test_a_forgotten_tag_does_not_lock_the_repository(az: Az, repository: str, digest: str) -> None:
    for name in ([f"{SERVER}/{repository}"], ["--name", "myregistry", "--image", repository]):
        assert az.refused(1, "update", *name, "--write-enabled", "false").writes == []
    assert az.refused(1, "update", f"{SERVER}/{repository}:1.0").writes == []


def test_a_push_to_a_locked_tag_sends_nothing(az: Az, artifact: str, digest: str, work: Path) -> None:
    (work / "a.txt").write_text("two")
    az.artifact("update", artifact, "--write-enabled", "false")
    for options in ((artifact,), (f"{artifact}-b", "--tags", "1.0"), (artifact, "--dry-run")):
        refused = az.refused(1, "push", *options, "--file", "a.txt")
        assert refused.writes == []
        assert f"{artifact} has writeEnabled=false" in refused.stderr
    source = artifact.replace(":1.0", "/other:1")
    az.artifact("push", source, "--file", "a.txt")
    az.artifact("backup", source, "-d", "layout")
    for command in (("copy", source, "--to", artifact), ("restore", artifact, "-s", "layout", "--source-tag", "1")):
        assert az.refused(1, *command).writes == []


@pytest.mark.parametrize("command", ["push", "push --dry-run", "tag"])
def test_the_right_to_lock_is_checked_before_the_first_byte(
    signed_out: Az, artifact: str, digest: str, file: str, command: str
) -> None:
    verb, *more = command.split()
    what = ("--file", file) if verb == "push" else ("--tags", "new")
    who = ("--username", "ci-token", "--password", "ci-token-password")
    refused = signed_out.refused(1, verb, artifact, *what, *more, "--lock", *who)
    assert refused.writes == []
    assert "may not change locks here" in refused.stderr
    assert "add metadata/write to the scope map" in refused.stderr
