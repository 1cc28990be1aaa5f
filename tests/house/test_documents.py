"""Files and tests that documents name exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.house.source import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), ROOT / "acr_emulator/README.md"]
NAME = re.compile(r"`([\w-][\w.-]*(?:/[\w.-]*)*)`|\]\(([\w./-]+)\)")
PLACEHOLDER = re.compile(r"\b(?:NAME|FAMILY|TOPIC|STATE)\b|_TOPIC\b|^docs/a\.md$|^dist/")
"""Parts of names that a reader replaces, a file of an example, and files that `dev.py` writes."""
SOURCES = {path.name for path in ROOT.rglob("*.py")}
TESTS = {name for path in ROOT.glob("tests/**/*.py") for name in re.findall(r"def (test_\w+)", path.read_text("utf-8"))}


def missing(document: Path, text: str) -> list[str]:
    """Return the names of files, folders and tests in *text* that exist neither below the repository or its package,
    nor beside the *document*. A name without a folder may be that of any file."""
    folders = [ROOT, ROOT / "azext_acrartifact", document.parent]
    found = []
    for name in (match[1] or match[2] for match in NAME.finditer(text)):
        first, slash, _ = name.partition("/")
        is_file = name.endswith((".py", ".md"))
        is_below = bool(slash) and any((folder / first).is_dir() for folder in folders)
        is_test = name.startswith("test_") and "." not in name
        exists = any((folder / name).exists() for folder in folders) or name in SOURCES | TESTS
        if (is_file or is_below or is_test) and not exists and not PLACEHOLDER.search(name):
            found.append(name)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_files_that_a_document_names_exist(document: Path) -> None:
    assert missing(document, document.read_text(encoding="utf-8")) == []


def test_a_missing_file_is_found() -> None:
    text = (
        "`errors.py` `oci/gone.py` `gone.md` `tests/gone/` `a/b:1` [x](docs/gone.md) `test_gone` `operations/NAME.py`"
    )
    assert missing(ROOT / "README.md", text) == ["oci/gone.py", "gone.md", "tests/gone/", "docs/gone.md", "test_gone"]
