"""Run every block of the documents that need oras."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.interop.programs import AZ
from tests.interop.registry import Registry
from tests.support.documents import DOCUMENTS, Reader, blocks, write_program
from tests.support.samples import LARGE, write_samples

HERE = [path for path in DOCUMENTS if any(block.machine == "oras" for block in blocks(path))]


@pytest.mark.parametrize("document", HERE, ids=lambda path: path.stem)
def test_the_blocks_of_a_document_run(document: Path, azure: Registry, work: Path, tmp_path: Path) -> None:
    write_samples(work, LARGE)
    programs = write_program(tmp_path / "bin", "az", f'exec {" ".join(AZ)} "$@"')
    path = f"{programs}:{azure.variables['PATH']}"
    reader = Reader(work, {**azure.variables, "PATH": path, "XDG_CONFIG_HOME": str(tmp_path)})
    for block in blocks(document):
        reader.follow(block, {})
