"""`dev.py live` as a process: in a registry that is as awkward as those in Azure can be, and when it may not delete."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from devtools.live import comparison, recording
from devtools.live.probes.referrers import referrers
from devtools.steps import ROOT
from tests.emulator.live.conftest import HASHED, LIMIT, RECORDED, REFUSING, Chores

Ended = Callable[[str], "tuple[int, str]"]
pytestmark = pytest.mark.timeout(600)


def test_a_recording_has_no_secret_and_no_name(chores: Chores, ended: Ended, file: Path) -> None:
    code, output = ended("record")
    assert code == 0, output
    text = file.read_text(encoding="utf-8")
    assert [word for word in _secrets(chores) if word.lower() in text.lower()] == []
    assert "the rest of failed import" in text
    assert len(recording.read(file).records) > 60


def test_the_recording_of_an_emulator_is_as_the_emulator(chores: Chores, ended: Ended, file: Path) -> None:
    ended("record")
    process = chores.start("nobody", "--compare", str(file))
    output, _ = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, output
    assert "not compared: the rest of failed import" in output
    assert re.search(r"^0 of \d+ records differ from the emulator", output, re.MULTILINE)


def test_a_difference_is_named(chores: Chores, ended: Ended, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ended("record")
    fault = {"status": 405, "body": '{"errors":[{"code":"UNSUPPORTED","message":"no"}]}'}
    chores.emulator.fault(action="status", host=RECORDED, path="/referrers/referrers/", **fault)
    differing = recording.record(RECORDED, chores.environment("nobody"), groups=[referrers]).records
    assert comparison.report(differing, recording.read(file).records) == 1
    printed = capsys.readouterr().out
    assert "referrers of a manifest with one\n  status: 405 in the file, 200 on the emulator\n" in printed
    assert "  header oci-filters-applied: none in the file, artifactType on the emulator\n" in printed
    assert "PUT of a manifest" not in printed


def test_an_awkward_registry_passes_and_nothing_is_left(chores: Chores, ended: Ended) -> None:
    code, output = ended("awkward")
    assert code == 0, output
    assert "3 passed" in output
    log = [entry for entry in chores.emulator.log() if entry.host == HASHED]
    pushed = {entry.path: entry.id for entry in log if (entry.method, entry.status) == ("PUT", 201)}
    late = [entry for entry in log if entry.status == 404 and entry.id > pushed.get(entry.path, entry.id)]
    assert late, "the replica was not late"
    assert chores.repositories(HASHED) == chores.repositories(RECORDED) == []


def test_what_could_not_be_deleted_is_named_and_can_be_deleted_later(chores: Chores, ended: Ended) -> None:
    code, output = ended("refused")
    assert code != 0
    assert re.search("1 passed, .*1 error", output)
    (repository,) = chores.repositories(REFUSING)
    assert re.search(rf"{REFUSING}/{repository}: Could not remove the tag .*\n", output)
    command = f"python3 dev.py live {REFUSING} --delete {repository}"
    assert f"Delete them: {command}\n" in output
    left = ROOT / ".cache" / "live" / f"{repository.split('/')[1]}.txt"
    assert left.read_text(encoding="utf-8") == f"{command}\n"
    chores.emulator.clear_faults()
    chores.admin(REFUSING, "PATCH", f"/acr/v1/{repository}/_tags/1.0", {"deleteEnabled": False})
    process = chores.start("pusher", *command.split(" ")[3:])
    output, _ = process.communicate(timeout=LIMIT)
    assert (process.returncode, chores.repositories(REFUSING)) == (0, []), output
    assert not left.exists()


def _secrets(chores: Chores) -> set[str]:
    """Return what a recording must not contain: of the world, and of the requests that were made."""
    world = chores.emulator.world()
    names = {registry[name] for registry in world["registries"] for name in ("name", "login_server")}
    names |= {tenant[name] for tenant in world["tenants"] for name in ("tenant_id", "domain")}
    names |= {subscription[name] for subscription in world["subscriptions"] for name in ("subscription_id", "name")}
    for principal in world["principals"]:
        names |= {principal["client_id"], principal["object_id"], *principal["secrets"]}
    queries = "&".join(entry.query for entry in chores.emulator.log())
    return names | set(re.findall(r"(?:sig|_state)=([^&]+)", queries)) | {"eyJ", "127.0.0.1", "sig=%"}
