"""The oldest Azure CLI that the wheel accepts is the one that is tried, and its environment is made once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from devtools import oldest, steps
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
