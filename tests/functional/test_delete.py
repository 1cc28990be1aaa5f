"""A deletion is asked about, and the question names everything that goes."""

from __future__ import annotations

import pytest

from tests.functional.az import Az
from tests.functional.origin import SERVER, Origin
from tests.functional.terminal import at_terminal


@pytest.fixture
def digest(origin: Origin, repository: str) -> str:
    """The digest of an artifact with the tags 1.0 and latest, and two referrers."""
    return origin.push_files(repository, {"a.txt": b"one"}, "1.0")


@pytest.fixture
def referrers(origin: Origin, repository: str, digest: str) -> dict[str, str]:
    """What is attached to it: artifact types by digest. It also gets another tag."""
    origin.push_files(repository, {"a.txt": b"one"}, "latest")
    types = ("application/vnd.example.sbom", "application/vnd.example.signature")
    return {origin.attach(repository, digest, kind): kind for kind in types}


def test_without_a_terminal_nothing_is_deleted(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin
) -> None:
    refused = az.refused(1, "delete", artifact)
    assert "--yes" in refused.stderr
    assert refused.writes == []
    assert origin.manifest(repository, digest)


def test_the_question_names_all_that_goes(
    az: Az, artifact: str, repository: str, digest: str, referrers: dict[str, str], origin: Origin
) -> None:
    no = at_terminal(az, "acr", "artifact", "delete", artifact, answer="n")
    assert no.code == 1
    for named in (digest, f"'{repository}:1.0'", f"'{repository}:latest'", *referrers, *referrers.values()):
        assert named in no.stdout
    assert no.stdout.count("(y/n)") == 1
    assert "Nothing was deleted" in no.stdout
    assert no.writes == []
    assert all(origin.manifest(repository, known) for known in (digest, *referrers))

    yes = at_terminal(az, "acr", "artifact", "delete", artifact, answer="y")
    assert (yes.code, len(yes.writes)) == (0, 1)
    assert not any(origin.manifest(repository, known) for known in (digest, *referrers, "1.0", "latest"))


def test_all_tags_go_and_other_artifacts_stay(
    az: Az, artifact: str, repository: str, digest: str, referrers: dict[str, str], origin: Origin
) -> None:
    other = origin.push_files(repository, {"b.txt": b"two"}, "2.0")
    assert az.artifact("delete", f"{SERVER}/{repository}@{digest}", "--yes").stdout == ""
    assert not any(origin.manifest(repository, gone) for gone in (digest, *referrers, "1.0", "latest"))
    assert origin.manifest(repository, other)
    assert az.refused(3, "delete", artifact, "--yes").writes == []


def test_no_confirmation_where_it_is_configured_away(
    az: Az, artifact: str, repository: str, digest: str, origin: Origin
) -> None:
    az.using(AZURE_CORE_DISABLE_CONFIRM_PROMPT="yes").artifact("delete", artifact)
    assert origin.manifest(repository, digest) is None


def test_a_repository_is_not_deleted_by_accident(az: Az, repository: str, digest: str, origin: Origin) -> None:
    assert az.refused(1, "delete", f"{SERVER}/{repository}", "--yes").writes == []
    assert origin.manifest(repository, digest)
