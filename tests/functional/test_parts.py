"""Large files in parts: the options, the setting, and one file in every output."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path

import pytest

from tests.functional.az import Az, assert_refused
from tests.functional.many import in_one_process
from tests.functional.origin import Origin, digest_of
from tests.functional.terminal import at_terminal

MIB = 1 << 20
CONTENT = random.Random(7).randbytes(9 * MIB)


@pytest.fixture
def image(work: Path) -> str:
    """Return the name of a file of three parts of 4 MiB."""
    (work / "disk.img").write_bytes(CONTENT)
    return "disk.img"


def test_one_file_in_every_output(
    az: Az, artifact: str, repository: str, origin: Origin, work: Path, image: str
) -> None:
    pushed = az.artifact("push", artifact, "--file", image, "--part-size", "4M").json
    assert [(file["title"], file["parts"], file["digest"]) for file in pushed["files"]] == [
        (image, 3, digest_of(CONTENT))
    ]
    layers = json.loads(origin.manifest(repository, "1.0") or b"{}")["layers"]
    assert [layer["size"] for layer in layers] == [4 * MIB, 4 * MIB, MIB]
    assert [(file["title"], file["parts"]) for file in az.artifact("show", artifact).json["files"]] == [(image, 3)]
    assert (
        "disk.img (9.0 MiB, 3 parts of 4.0 MiB)"
        in az("acr", "artifact", "show", artifact, "--detail", "-o", "table").stdout
    )
    assert b"part-00003-of-00003" in az("acr", "artifact", "show", artifact, "--raw").stdout.encode()
    table = az("acr", "artifact", "pull", artifact, "-d", "to", "-o", "table").stdout.splitlines()
    assert table[0].split() == ["Name", "Size", "Parts", "Digest", "State", "MediaType"]
    assert (work / "to" / image).read_bytes() == CONTENT
    again = az.artifact("pull", artifact, "-d", "to", "--check")
    assert ([file["parts"] for file in again.json["files"]], again.blob_gets) == ([3], [])


def test_a_dry_run_says_what_other_tools_will_see(az: Az, artifact: str, image: str) -> None:
    command = ("acr", "artifact", "push", artifact, "--file", image, "--part-size", "4M", "--dry-run")
    file = json.loads(az(*command).stdout)["files"][0]
    seen = "disk.img.part-00001-of-00003 to disk.img.part-00003-of-00003"
    assert (file["parts"], file["partSize"], file["otherToolsSee"]) == (3, 4 * MIB, seen)
    shown = at_terminal(az, *command).stdout
    assert "az acr build oci://" in shown
    assert seen in re.sub(r"\s+", " ", shown)


def test_an_archive_that_is_too_large_is_refused_before_it_is_read(az: Az, artifact: str, work: Path) -> None:
    with open(work / "vast.tar", "wb") as file:
        file.truncate((200 << 30) + 1)
    (work / "marks.json").write_text('{"vast.tar": {"io.deis.oras.content.unpack": "true"}}')
    options = ("--annotation-file", "marks.json", "--part-size", "auto")
    refused = az.refused(1, "push", artifact, "--file", "vast.tar", *options)
    assert "unpacks cannot go in parts" in refused.stderr
    assert refused.log == []


def test_the_setting_and_off(az: Az, artifact: str, image: str) -> None:
    setting = az.using(AZURE_ACRARTIFACT_PART_SIZE="4M")
    assert setting.artifact("push", artifact, "--file", image, "--dry-run").json["files"][0]["parts"] == 3
    off = setting.artifact("push", artifact, "--file", image, "--dry-run", "--part-size", "off")
    assert "parts" not in off.json["files"][0]
    refused = az.using(AZURE_ACRARTIFACT_PART_SIZE="4").refused(1, "push", artifact, "--file", image)
    assert "AZURE_ACRARTIFACT_PART_SIZE=4" in refused.stderr


def test_other_sizes_are_refused_before_anything_is_sent(
    az: Az, artifact: str, image: str, subtests: pytest.Subtests
) -> None:
    sizes = ("3M", "64", "1T", "201G", "-4M", "4.5M")
    results = in_one_process(az, [["push", artifact, "--file", image, f"--part-size={size}"] for size in sizes])
    for size, refused in zip(sizes, results, strict=True):
        with subtests.test(size):
            assert_refused(refused, 1)
            assert size in refused.stderr
            assert refused.log == []


def test_an_attached_file_may_be_in_parts(az: Az, artifact: str, image: str) -> None:
    az.artifact("push", artifact, "--empty")
    options = ("--artifact-type", "a/b", "--file", image, "--part-size", "4M")
    assert az.artifact("attach", artifact, *options).json["files"][0]["parts"] == 3
    az.artifact("pull", artifact, "--referrer", "a/b", "-d", "to")
    assert (az.folder / "to" / image).read_bytes() == CONTENT


def test_only_changed_parts_move_both_ways(az: Az, artifact: str, work: Path, image: str) -> None:
    az.artifact("push", artifact, "--file", image, "--part-size", "4M")
    az.artifact("pull", artifact, "-d", "to")
    (work / image).write_bytes(CONTENT[: 5 * MIB] + b"changed" + CONTENT[5 * MIB + 7 :])
    pushed = az.artifact("push", artifact, "--file", image, "--part-size", "4M").json
    assert pushed["bytesUploaded"] == 4 * MIB
    pulled = az.artifact("pull", artifact, "-d", "to").json
    assert (pulled["bytesDownloaded"], pulled["bytesSkipped"]) == (4 * MIB, 5 * MIB)
    assert (work / "to" / image).read_bytes() == (work / image).read_bytes()


def test_a_file_above_the_limit_of_a_blob_needs_parts(az: Az, artifact: str, work: Path) -> None:
    with open(work / "vast", "wb") as file:
        file.truncate((200 << 30) + 1)
    refused = az.refused(1, "push", artifact, "--file", "vast")
    assert "--part-size" in refused.stderr
    assert refused.registry("", "POST|PUT|PATCH") == []


def test_a_terminal_shows_one_bar_and_one_line(az: Az, artifact: str, image: str) -> None:
    shown = at_terminal(az, "acr", "artifact", "push", artifact, "--file", image, "--part-size", "4M").stdout
    assert len(re.findall(r"Uploaded +\w+ disk\.img", shown)) == 1
    assert ".part-" not in shown
