"""ACR Tasks builds alike from artifacts of oras and from ours: files, and folders."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from tests.interop.programs import AZ, run
from tests.interop.registry import Registry

DOCKERFILE = 'FROM scratch\nCOPY src/ /app/\nCMD ["/app/run.sh"]\n'


@pytest.fixture
def context(work: Path) -> Path:
    """Create a Dockerfile and the folder that it copies."""
    (work / "Dockerfile").write_text(DOCKERFILE)
    (work / "src" / "deep").mkdir(parents=True)
    (work / "src" / "run.sh").write_bytes(b"#!/bin/sh\n")
    (work / "src" / "run.sh").chmod(0o755)
    (work / "src" / "deep" / "data.txt").write_bytes(b"data\n")
    return work


@pytest.mark.parametrize("files", [["Dockerfile", "src"], ["."]], ids=["file and folder", "current folder"])
@pytest.mark.parametrize("by", ["oras", "ours"])
def test_an_artifact_is_a_build_context(
    azure: Registry, repository: str, context: Path, out: Path, files: list[str], by: str
) -> None:
    reference = azure.at(repository)
    if by == "oras":
        azure.oras(context, "push", reference, *files)
    else:
        azure.push(context, reference, "--file", *files)
    image = f"{repository}-built:v1"
    build = [*AZ, "acr", "build", "--registry", azure.server.partition(".")[0], "--image", image]
    run([*build, f"oci://{reference}"], out, azure.variables)
    exported = azure.crane(out, "export", f"{azure.server}/{image}", "-").stdout
    with tarfile.open(fileobj=io.BytesIO(exported)) as archive:
        members = {entry.name.strip("/"): entry for entry in archive.getmembers() if entry.isfile()}
        contents = {name: archive.extractfile(entry) for name, entry in members.items()}
        read = {name: file.read() for name, file in contents.items() if file}
    assert read == {"app/run.sh": b"#!/bin/sh\n", "app/deep/data.txt": b"data\n"}
    assert members["app/run.sh"].mode & 0o777 == 0o755
