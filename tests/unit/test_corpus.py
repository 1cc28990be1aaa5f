"""Run the fuzz targets on their corpus, so that what a fuzzer once found is tested without one."""

from __future__ import annotations

import hashlib
import importlib
from pathlib import Path

import pytest

from devtools.fuzz import CORPUS, FOLDER, RATES, targets

NOT_TARGETS = {"__init__", "run", "canned", "decoded", "shown"}


@pytest.mark.parametrize("target", targets())
def test_a_target_passes_on_its_corpus(target: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    check = importlib.import_module(f"tests.fuzz.{target}").check
    check(b"")
    for file in sorted((CORPUS / target).iterdir()):
        check(file.read_bytes())
    assert list(tmp_path.iterdir()) == []


def test_every_target_has_a_corpus_of_inputs_named_by_their_digests() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} - NOT_TARGETS == set(targets()) == set(RATES)
    files = [file for target in targets() for file in (CORPUS / target).iterdir()]
    assert [file for file in files if file.name != hashlib.sha256(file.read_bytes()).hexdigest()[:16]] == []
