"""Every block of the README and of docs/ is run, is the output of one that is, a file, or a drawing."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dev
from tests.support.documents import DOCUMENTS, LANGUAGES, Block, blocks, fences

COMMAND = re.compile(r"^\s*(\$ |az |oras |python3? |pip |docker )", re.MULTILINE)
CHORE = re.compile(r"python3 dev\.py (\w+)[^\n#]*(?:#.*)?")


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)
def test_every_block_is_of_a_kind_that_a_test_knows(document: Path) -> None:
    found = blocks(document)
    assert len(found) == fences(document)
    assert [str(block) for block in found if block.language not in LANGUAGES] == []
    assert [str(block) for block in found if is_unrun(block)] == []
    outputs = [number for number, block in enumerate(found) if block.language == "output"]
    assert [str(found[number]) for number in outputs if number == 0 or not found[number - 1].scripts] == []


def is_unrun(block: Block) -> bool:
    """Return whether commands hide in a block that is not run."""
    return block.language in ("text", "json") and COMMAND.search(block.text) is not None


def test_chores_that_documents_name_exist() -> None:
    lines = [
        line
        for document in DOCUMENTS
        for block in blocks(document)
        if block.machine == "checkout"
        for line in block.text.splitlines()
    ]
    names = [match[1] for line in lines if (match := CHORE.fullmatch(line))]
    assert len(names) == len(lines) > 1
    assert set(names) <= dev.CHORES.keys()


def test_blocks_are_read_with_their_notes(tmp_path: Path) -> None:
    page = tmp_path / "a.md"
    script = "<!-- in: x -->\n<!-- exit code: 3 -->\n```sh\naz a\n```\n"
    page.write_text(f'{script}\n```text\naz b\n```\n```json title="p"\n{{}}\n```\n')
    first, drawing, file = blocks(page)
    assert (first.machine, first.notes["exit code"], first.scripts, first.line) == ("x", "3", ["az a\n"], 1)
    assert (is_unrun(drawing), file.title, file.scripts, fences(page)) == (True, "p", [], 3)
