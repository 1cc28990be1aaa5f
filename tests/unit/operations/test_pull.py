"""pull against the emulator: what is written, and what is not when something breaks."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from azext_acrartifact import errors
from azext_acrartifact.cli.output.json import pull_output, push_output
from azext_acrartifact.files.selection import Selection
from azext_acrartifact.oci.digest import digest_of
from azext_acrartifact.oci.mediatypes import TITLE, UNPACK
from azext_acrartifact.operations.file_spec import parse_file_spec
from tests.unit.operations.conftest import SERVER, count, pull_files, push_files
from tests.unit.operations.graphs import push_blob, push_manifest


def test_the_articles_artifact_is_pushed_and_pulled(signed_in, app, work: Path, tmp_path: Path) -> None:
    (work / "artifact.txt").write_text("Here is an artifact\n")
    registry = signed_in()
    files = ["./artifact.txt:application/vnd.unknown.layer.v1+txt"]
    config = parse_file_spec("/dev/null:application/vnd.unknown.config.v1+json")
    result = push_files(registry, "samples/artifact:1.0", *files, config=config)
    out = push_output(result)
    assert out["reference"] == f"{SERVER}/samples/artifact:1.0"
    assert (out["tags"], out["bytesUploaded"], out["bytesSkipped"]) == (["1.0"], 20, 0)
    assert out["files"] == [
        {
            "title": "artifact.txt",
            "digest": digest_of(b"Here is an artifact\n"),
            "size": 20,
            "mediaType": "application/vnd.unknown.layer.v1+txt",
            "state": "uploaded",
        }
    ]
    pulled = pull_files(
        registry,
        "samples/artifact:1.0",
        tmp_path / "to",
        selection=Selection.of(media_types=["application/vnd.unknown.layer.v1+txt"]),
        config_path=str(tmp_path / "c"),
    )
    assert (tmp_path / "to" / "artifact.txt").read_text() == "Here is an artifact\n"
    assert (tmp_path / "c").read_bytes() == b""
    assert pull_output(pulled)["files"][0]["state"] == "downloaded"
    again = pull_files(registry, "samples/artifact:1.0", tmp_path / "to")
    assert (again.files[0].state, again.bytes_downloaded, again.bytes_skipped) == ("unchanged", 0, 20)


def test_a_large_file_and_a_folder_are_pulled(signed_in, work: Path, tmp_path: Path) -> None:
    (work / "big").write_bytes(bytes(range(256)) * 4096 * 18)
    (work / "d" / "e").mkdir(parents=True)
    (work / "d" / "e" / "x").write_text("deep")
    registry = signed_in()
    push_files(registry, "large:1", "big", "d")
    result = pull_files(registry, "large:1", tmp_path / "to")
    assert (tmp_path / "to" / "big").read_bytes() == (work / "big").read_bytes()
    assert (tmp_path / "to" / "d" / "e" / "x").read_text() == "deep"
    assert {file.state for file in result.files} == {"downloaded"}


@pytest.mark.parametrize(
    "fault",
    [
        {"action": "status", "status": 503, "times": 2},
        {"action": "status", "status": 429, "headers": {"Retry-After": "0"}, "times": 1},
        {"action": "reset", "times": 2},
        {"action": "reset", "where": "handled", "times": 1},
        {"action": "expire_token", "times": 1},
    ],
    ids=lambda fault: f"{fault['action']}-{fault.get('where', fault.get('status', ''))}",
)
def test_faults_that_pass_are_retried(signed_in, app, work: Path, tmp_path: Path, fault) -> None:
    (work / "a").write_text("a" * 100_000)
    app.faults.add({**fault, "host": SERVER, "path": "/v2/"})
    name = f"faults-{fault['action'].replace('_', '-')}-{fault.get('where', fault.get('status', 'x'))}"
    push_files(signed_in(), f"{name}:1", "a")
    app.faults.remove()
    app.faults.add({**fault, "path": "/v2/|blob"})
    pull_files(signed_in(), f"{name}:1", tmp_path / "to")
    assert (tmp_path / "to" / "a").read_text() == "a" * 100_000


def test_corrupt_bytes_never_get_a_name(signed_in, app, work: Path, tmp_path: Path) -> None:
    (work / "a").write_text("a" * 1000)
    push_files(signed_in(), "corrupt:1", "a")
    (tmp_path / "to").mkdir()
    (tmp_path / "to" / "a").write_text("mine")
    app.faults.add({"action": "corrupt", "offset": 5, "host": "*.blob.core.windows.net"})
    with pytest.raises(errors.DigestMismatchError):
        pull_files(signed_in(), "corrupt:1", tmp_path / "to")
    assert [path.read_text() for path in (tmp_path / "to").iterdir()] == ["mine"]


@pytest.mark.parametrize("kind", ["file", "folder"])
def test_free_space_is_checked_before_the_first_byte(signed_in, app, tmp_path: Path, kind: str) -> None:
    registry, repository = signed_in(), f"space-{kind}"
    named = {TITLE: "d/a.bin"} if kind == "file" else {TITLE: "d", UNPACK: "true"}
    layer = replace(push_blob(registry, repository, b"x"), size=1 << 60, annotations=named)
    push_manifest(registry, repository, [layer], tag="1")
    older = tmp_path / "out/d/a.bin"
    older.parent.mkdir(parents=True)
    older.write_bytes(b"mine")
    app.log.clear()
    with pytest.raises(errors.LocalFileError, match="not enough free space"):
        pull_files(registry, f"{repository}:1", tmp_path / "out")
    assert count(app, "GET", "/blobs/") == 0
    assert older.read_bytes() == b"mine"
    assert [path.name for path in (tmp_path / "out").rglob("*")] == ["d", "a.bin"]


SCRIPT = """
import io, resource, signal, sys
from azext_acrartifact.errors import LocalFileError
from azext_acrartifact.files.archive.extract import Extraction
from azext_acrartifact.files.names import safe_folder
from azext_acrartifact.files.writing.destination import Destination
resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
try:
    with Destination.open(sys.argv[1]) as destination:
        with Extraction(destination, safe_folder("d"), max_size=1 << 30) as extraction:
            extraction.read(io.BytesIO(open(sys.argv[2], "rb").read()).read)
            extraction.commit()
except LocalFileError as error:
    print(error)
"""


def test_a_disk_that_fills_up_while_a_folder_is_unpacked_changes_nothing(tmp_path: Path) -> None:
    """Allow no file above 1,000 bytes, as on a disk that is full by then."""
    from tests.unit.files.archive.archives import layer, member

    (tmp_path / "layer").write_bytes(layer(member("d/a", b"new"), member("d/b", bytes(5000))))
    (tmp_path / "out/d").mkdir(parents=True)
    (tmp_path / "out/d/a").write_bytes(b"mine")
    run = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path / "out"), str(tmp_path / "layer")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert run.stdout.count("\n") == 1
    assert "Cannot write the file" in run.stdout
    assert "d/b" in run.stdout
    assert {path.name: path.is_file() for path in (tmp_path / "out").rglob("*")} == {"d": False, "a": True}
    assert (tmp_path / "out/d/a").read_bytes() == b"mine"


def test_nothing_is_written_if_a_file_would_reach_a_closed_folder(signed_in, work: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "venv/bin/az"):
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(name)
    registry = signed_in()
    push_files(registry, "closed:1", "a.txt", "venv/bin/az")
    closed = [str(tmp_path / "to" / "venv")]
    with pytest.raises(errors.UnsafeContentError, match="own Python") as caught:
        pull_files(registry, "closed:1", tmp_path / "to", closed_folders=closed)
    assert closed[0] in caught.value.why
    assert not (tmp_path / "to").exists()
    chosen = pull_files(
        registry, "closed:1", tmp_path / "to", closed_folders=closed, selection=Selection.of(include=["a.txt"])
    )
    assert [file.path for file in chosen.files] == [str(tmp_path / "to" / "a.txt")]
