"""purge as a command: confirmation, output and refusals. The selection is tested with the operation."""

from __future__ import annotations

import pytest

from tests.functional.az import Az, assert_one_error, assert_refused
from tests.functional.many import in_one_process
from tests.functional.origin import SERVER, Origin
from tests.functional.terminal import at_terminal


@pytest.fixture
def digests(origin: Origin, repository: str) -> dict[str, str]:
    """Push three artifacts; return their digests by tag."""
    return {tag: origin.push_files(repository, {"f": tag.encode()}, tag) for tag in ("dev-1", "dev-2", "v1")}


def test_the_dry_run_and_the_confirmation(az: Az, repository: str, digests: dict[str, str], origin: Origin) -> None:
    what = ("--filter", f"{repository}:dev-.*", "--ago", "0d", "--untagged")
    dry_run = az.artifact("purge", "--name", "myregistry", *what, "--dry-run")
    assert dry_run.json["deletedTags"] == [f"{repository}:dev-2", f"{repository}:dev-1"]
    assert dry_run.json["deletedManifests"] == sorted(f"{repository}@{digests[tag]}" for tag in ("dev-1", "dev-2"))
    assert dry_run.writes == []
    refused = az.refused(1, "purge", "--name", "myregistry", *what)
    assert "--yes" in refused.stderr
    assert refused.writes == []
    asked = at_terminal(az, "acr", "artifact", "purge", "--name", "myregistry", *what, typed="n")
    assert "2 tags and delete 2 artifacts" in asked.stdout
    assert f"{repository}:dev-1" in asked.stdout
    assert (asked.code, asked.writes) == (1, [])
    done = az.artifact("purge", SERVER, *what, "--yes", "--query", "deletedTags[]")
    assert done.json == [f"{repository}:dev-2", f"{repository}:dev-1"]
    assert not any(origin.manifest(repository, digests[tag]) for tag in ("dev-1", "dev-2"))
    assert origin.manifest(repository, "v1")


def test_failures_are_printed_with_exit_code_1(
    az: Az, repository: str, digests: dict[str, str], origin: Origin
) -> None:
    az.emulator.fault(method="DELETE", path="_tags/dev-1", action="status", status=400)
    what = ("acr", "artifact", "purge", f"{SERVER}/{repository}", "--ago", "0d", "--keep", "1", "--yes")
    done = az(*what)
    assert done.code == 1
    assert_one_error(done.stderr)
    assert "Run the same command again" in done.stderr
    assert [item["reference"] for item in done.json["failed"]] == [f"{repository}:dev-1"]
    assert [item["reference"] for item in done.json["kept"]] == [f"{repository}:v1"]
    assert origin.manifest(repository, "dev-2") is None
    table = az(*what, "-o", "table")
    assert table.code == 1
    assert [line.split()[0] for line in table.stdout.splitlines()] == ["State", "-------", "failed", "kept"]
    az.emulator.clear_faults()
    assert az.artifact(*what[2:]).json["deletedTags"] == [f"{repository}:dev-1"]


WRONG = {
    ("--filter", "a:b"): 2,
    ("--ago", "30d", "--filter", "a:b", "--repository", "a"): 1,
    ("--ago", "30d", "--filter", "a:b", "--include-referrers"): 1,
    ("--ago", "30d", "--filter", "a:b", "--keep", "-1"): 1,
}
"""Options that are refused, and the exit code."""


def test_wrong_options(az: Az, subtests: pytest.Subtests) -> None:
    results = in_one_process(az, [["purge", "--name", "myregistry", *options] for options in WRONG])
    for (options, code), refused in zip(WRONG.items(), results, strict=True):
        with subtests.test(options=options):
            assert_refused(refused, code)
            assert refused.registry() == []
