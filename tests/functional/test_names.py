"""The ways to name an artifact, and the ways to look at a result."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.functional.az import Az
from tests.functional.origin import SERVER, Origin


@pytest.fixture
def pushed(origin: Origin, repository: str) -> str:
    """Push an artifact `repository:1.0` with two files; return its digest."""
    return origin.push_files(repository, {"a.txt": b"one", "b.txt": b"three"})


@pytest.fixture
def default(az: Az, sign_in: Callable[[str], Path], tmp_path: Path) -> Az:
    """Return `az` with `az configure --defaults acr=myregistry`."""
    config = tmp_path / "config"
    shutil.copytree(sign_in("pusher"), config)
    configured = az.using(config=config)
    assert configured("configure", "--defaults", "acr=myregistry").code == 0
    return configured


def test_all_ways_to_name_an_artifact_are_equal(az: Az, repository: str, pushed: str) -> None:
    ways = [
        [f"{SERVER}/{repository}:1.0"],
        [f"{SERVER}/{repository}@{pushed}"],
        ["--name", "myregistry", "--image", f"{repository}:1.0"],
        ["-n", "MyRegistry", "-t", f"{repository}:1.0"],
        ["--registry", SERVER, "--image", f"{repository}@{pushed}"],
        ["-r", "myregistry", f"{repository}:1.0"],
    ]
    assert [az.artifact("show", *way).json["digest"] for way in ways] == [pushed] * len(ways)


def test_a_default_registry(default: Az, repository: str, pushed: str) -> None:
    assert default.artifact("show", "--image", f"{repository}:1.0").json["digest"] == pushed
    assert default.artifact("pull", f"{repository}:1.0", "-d", "out").json["digest"] == pushed
    assert default.artifact("show", f"{SERVER}/{repository}:1.0").json["digest"] == pushed
    default.artifact("delete", "--image", f"{repository}:1.0", "--yes")
    default.refused(3, "show", f"{repository}:1.0")


def test_a_server_in_the_reference_wins_over_the_default(default: Az, repository: str, pushed: str) -> None:
    result = default.refused(3, "show", f"targetregistry.azurecr.io/{repository}:1.0")
    assert {entry.host for entry in result.log if entry.host.endswith("azurecr.io")} == {"targetregistry.azurecr.io"}


def test_a_bare_name_whose_server_has_a_hash_is_found_by_resource_manager(az: Az, repository: str) -> None:
    image = ("--name", "abacregistry", "--image", f"{repository}:1.0")
    pushed = az.artifact("push", *image, "--file", "-", "--stdin-name", "a.txt", stdin="read once")
    assert pushed.json["bytesUploaded"] == len("read once") + len("{}")
    assert pushed.json["reference"] == f"abacregistry-d7fqc4e3.azurecr.io/{repository}:1.0"
    assert pushed.to("management.azure.com")
    suffixed = az.artifact("show", *image, "--suffix", "d7fqc4e3")
    assert suffixed.json["digest"] == pushed.json["digest"]
    assert not suffixed.to("management.azure.com")


def test_tables(az: Az, repository: str, work: Path) -> None:
    (work / "a.txt").write_text("one")
    (work / "b").mkdir()
    (work / "b" / "c.txt").write_text("three")
    reference = f"{SERVER}/{repository}:1.0"

    def rows(verb: str, *arguments: str) -> list[str]:
        result = az("acr", "artifact", verb, reference, *arguments, "--output", "table")
        assert (result.code, result.stderr) == (0, "")
        return result.stdout.splitlines()

    header, _, whole, first, second = rows("push", "--file", "a.txt:text/plain", "b")
    assert header.split() == ["Name", "Size", "Digest", "State", "MediaType"]
    assert (whole.split()[0], whole.split()[-2]) == (reference, "pushed")
    assert first.split()[:3] == ["a.txt", "3", "B"]
    assert first.split()[3].startswith("sha256:7692c3ad3540")
    assert first.split()[4:] == ["uploaded", "text/plain"]
    assert second.split()[0] == "b"
    header, _, row = rows("show")
    assert header.split() == ["Name", "Digest", "Holds", "Size", "Updated", "Locked", "ArtifactType"]
    assert (row.split()[0], row.split()[-2]) == ("1.0", "no")
    _, _, first, second = rows("pull", "--destination", "out", "--include", "b")
    assert (first.split()[0], first.split()[-2]) == (str(work / "out" / "b"), "downloaded")
    assert second.split()[0] == "a.txt"
    assert "left out" in second


def test_query(az: Az, repository: str, pushed: str) -> None:
    reference = f"{SERVER}/{repository}:1.0"
    titles = az("acr", "artifact", "show", reference, "--query", "files[].title")
    assert (titles.code, json.loads(titles.stdout), titles.stderr) == (0, ["a.txt", "b.txt"], "")
    digest = az("acr", "artifact", "pull", reference, "-d", "out", "--query", "digest", "--output", "tsv")
    assert (digest.code, digest.stdout, digest.stderr) == (0, f"{pushed}\n", "")
