"""The oldest Azure CLI that the wheel accepts is the one that is tried, and its environment is made once."""

from __future__ import annotations

import hashlib
import json
import threading
from pathlib import Path

import pytest

from devtools import locks, oldest, steps
from tests.house.source import ROOT


def test_the_pinned_version_is_the_promised_one() -> None:
    assert oldest.version() == json.loads(oldest.METADATA.read_text())["azext.minCliCoreVersion"]


@pytest.mark.parametrize("pinned", ["azure-cli==2.61.0\n", "azure-cli-core==2.60.0\n", ""])
def test_another_version_is_refused(tmp_path: Path, pinned: str) -> None:
    (tmp_path / "oldest.txt").write_text(pinned)
    with pytest.raises(steps.Failed, match="names Azure CLI"):
        oldest.version(tmp_path / "oldest.txt")


def test_the_tests_exist() -> None:
    missing = [name for name in oldest.TESTS if not (ROOT / "tests" / "functional" / f"test_{name}.py").exists()]
    assert missing == []


def test_an_installation_waits_for_another_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(oldest, "FOLDER", tmp_path / "cache" / "oldest")
    monkeypatch.setattr(steps, "ROOT", tmp_path)
    oldest.FOLDER.mkdir(parents=True)
    waits, found = threading.Event(), []
    monkeypatch.setattr(steps, "say", lambda text: waits.set())
    with locks.exclusive(oldest.FOLDER.with_suffix(".lock")):
        other = threading.Thread(target=lambda: found.append(oldest.ready()), daemon=True)
        other.start()
        assert waits.wait(10)
        assert not found
        (oldest.FOLDER / ".installed").write_text(hashlib.sha256(oldest.REQUIREMENTS.read_bytes()).hexdigest())
    other.join(10)
    assert [path.is_relative_to(oldest.FOLDER) for path in found] == [True]
