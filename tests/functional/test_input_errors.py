"""Mistakes of the user: one clear error each, before anything is sent."""

from __future__ import annotations

import functools
import os
from pathlib import Path

import pytest

from tests.functional.az import Az, assert_one_error, assert_refused, files_in
from tests.functional.limits import at_most, small_disk, without_roots_powers
from tests.functional.many import all_in_one_process, in_one_process
from tests.functional.origin import SERVER, Origin

REFERENCE = f"{SERVER}/samples/refused:1.0"
FILE = ("--file", "a.txt")

ARGUMENTS = {
    "nothing at all": ((), 1, "No artifact given"),
    "no file": ((REFERENCE,), 1, "--file"),
    "an empty file list": ((REFERENCE, "--file"), 2, "--file"),
    "a missing file": ((REFERENCE, "--file", "missing.txt"), 1, "missing.txt"),
    "a missing config": ((REFERENCE, *FILE, "--manifest-config", "missing.json"), 1, "missing.json"),
    "a missing annotation file": ((REFERENCE, *FILE, "--annotation-file", "missing.json"), 1, "missing.json"),
    "an annotation file that is none": ((REFERENCE, *FILE, "--annotation-file", "a.txt"), 1, "a.txt"),
    "an annotation without a value": ((REFERENCE, *FILE, "--annotation", "key"), 1, "KEY=VALUE"),
    "a device": ((REFERENCE, "--file", "/dev/zero"), 1, "/dev/zero"),
    "a bad media type": ((REFERENCE, "--file", "a.txt:text"), 1, "a.txt:text"),
    "a bad artifact type": ((REFERENCE, *FILE, "--artifact-type", "sbom"), 1, "sbom"),
    "a bad platform": ((REFERENCE, *FILE, "--platform", "linux"), 1, "OS/ARCHITECTURE"),
    "an unknown image-spec": ((REFERENCE, *FILE, "--image-spec", "v2"), 2, "v1.1"),
    "an unknown option": ((REFERENCE, *FILE, "--overwrite"), 2, "--overwrite"),
    "a config without a type in image-spec 1.1": (
        (REFERENCE, *FILE, "--manifest-config", "a.txt", "--image-spec", "v1.1"), 1, "--artifact-type",
    ),
    "no repository": ((SERVER, *FILE), 1, SERVER),
    "no server": (("samples/artifact:1.0", *FILE), 1, "--name"),
    "an upper-case server": (("MyRegistry.azurecr.io/a:1", *FILE), 1, SERVER),
    "an upper-case repository": ((f"{SERVER}/Samples/a:1", *FILE), 1, "samples/a"),
    "a port": ((f"{SERVER}:443/a:1", *FILE), 1, "port"),
    "a bad tag": ((f"{SERVER}/a:-1", *FILE), 1, "-1"),
    "a bad digest": ((f"{SERVER}/a@sha256:123", *FILE), 1, "sha256"),
    "a digest to push to": ((f"{SERVER}/a@sha256:{'0' * 64}", *FILE), 1, "digest"),
    "a bad registry name": (("--name", "my_registry", "--image", "a:1", *FILE), 1, "my_registry"),
    "a repository twice": ((REFERENCE, "--image", "a:1", *FILE), 1, "--image"),
    "two registries": ((REFERENCE, "--name", "targetregistry", *FILE), 1, "--name"),
    "an image without a registry": (("--image", "a:1", *FILE), 1, "--name"),
    "a password without a user": ((REFERENCE, *FILE, "--password-stdin"), 1, "--username"),
    "two passwords": ((REFERENCE, *FILE, "-u", "a", "-p", "b", "--password-stdin"), 1, "--password-stdin"),
    "a user without a password": ((REFERENCE, *FILE, "-u", "a"), 1, "--password-stdin"),
    "no concurrency": ((REFERENCE, *FILE, "--concurrency", "0"), 1, "--concurrency"),
    "no rate": ((REFERENCE, *FILE, "--cap-mbps", "0"), 1, "--cap-mbps"),
    "a negative rate": ((REFERENCE, *FILE, "--cap-mbps=-1"), 1, "--cap-mbps"),
    "a rate that is no number": ((REFERENCE, *FILE, "--cap-mbps", "nan"), 1, "--cap-mbps"),
    "an endless rate": ((REFERENCE, *FILE, "--cap-mbps", "inf"), 1, "--cap-mbps"),
    "a rate with a unit": ((REFERENCE, *FILE, "--cap-mbps", "10M"), 2, "--cap-mbps"),
}  # fmt: skip


def test_push_refuses(signed_out: Az, work: Path, subtests: pytest.Subtests) -> None:
    """Run without a sign-in, so that any error but the argument's would show too."""
    (work / "a.txt").write_text("a")
    results = in_one_process(signed_out, [["push", *arguments] for arguments, _, _ in ARGUMENTS.values()])
    for (case, (_, code, named)), refused in zip(ARGUMENTS.items(), results, strict=True):
        with subtests.test(case):
            assert_refused(refused, code)
            assert named in refused.stderr
            assert refused.log == []
    assert files_in(work) == {"a.txt"}


SETTINGS = {
    ("concurrency", "-3"): "concurrency=-3",
    ("concurrency", "abc"): "concurrency=abc",
    ("token_cache", "maybe"): "token_cache=maybe",
    ("auth_mode", "nobody"): "auth_mode=nobody",
    ("stall_timeout", "1.5"): "stall_timeout=1.5",
    ("completion_timeout", "0"): "completion_timeout=0",
    ("verify", "sometimes"): "verify=sometimes",
    ("concurency", "8"): "Set concurrency",
}
"""Wrong settings, and what the error has to name."""


def test_a_wrong_setting(az: Az, artifact: str, subtests: pytest.Subtests) -> None:
    commands = []
    for name, value in SETTINGS:
        commands += [
            ["config", "set", f"acrartifact.{name}={value}", "--only-show-errors"],
            ["acr", "artifact", "pull", artifact],
            ["config", "unset", f"acrartifact.{name}", "--only-show-errors"],
        ]
    results = all_in_one_process(az, commands)
    for (setting, named), refused in zip(SETTINGS.items(), results[1::3], strict=True):
        with subtests.test(setting=setting):
            assert_refused(refused, 1)
            assert named in refused.stderr
            assert refused.log == []


@pytest.mark.parametrize("setting", SETTINGS, ids=" ".join)
def test_a_wrong_variable(az: Az, artifact: str, setting: tuple[str, str]) -> None:
    name, value = setting
    variable = f"AZURE_ACRARTIFACT_{name.upper()}"
    refused = az.using(**{variable: value}).refused(1, "pull", artifact)
    assert SETTINGS[setting].replace(f"{name}=", f"{variable}=") in refused.stderr
    assert refused.log == []


def test_a_setting_that_cannot_be_read(az: Az, artifact: str) -> None:
    az.ok("config", "set", "acrartifact.concurrency=8%%", "--only-show-errors")
    file = Path(az.variables["AZURE_CONFIG_DIR"], "config")
    written = file.read_text()
    file.write_text(written.replace("8%%", "8%"))
    refused = az("acr", "artifact", "pull", artifact)
    file.write_text(written)
    az("config", "unset", "acrartifact.concurrency", "--only-show-errors")
    assert_one_error(refused.stderr)
    assert (refused.code, refused.log) == (1, [])


@pytest.mark.parametrize("denied", ["file", "folder", "member"])
def test_a_file_that_may_not_be_read(az: Az, artifact: str, work: Path, denied: str) -> None:
    (work / "d").mkdir()
    (work / "d" / "a.txt").write_text("a")
    (work / "d" / "a.txt").chmod(0 if denied in ("file", "member") else 0o644)
    (work / "d").chmod(0 if denied == "folder" else 0o755)
    named = {"file": "d/a.txt", "folder": "d", "member": "d"}[denied]
    refused = az.refused(1, "push", artifact, "--file", named, prepare=without_roots_powers)
    (work / "d").chmod(0o755)
    assert "permission denied" in refused.stderr.lower()
    assert named in refused.stderr
    assert refused.writes == []


def test_a_folder_that_may_not_be_written(az: Az, origin: Origin, artifact: str, repository: str, work: Path) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    (work / "out").mkdir(mode=0o555)
    refused = az.refused(1, "pull", artifact, "-d", "out", prepare=without_roots_powers)
    assert "permission denied" in refused.stderr.lower()
    assert str(work / "out") in refused.stderr
    assert refused.blob_gets == []


def test_a_folder_or_file_in_the_way(az: Az, origin: Origin, artifact: str, repository: str, work: Path) -> None:
    origin.push_files(repository, {"a/b.txt": b"one"})
    (work / "a").write_text("a file")
    assert str(work / "a") in az.refused(1, "pull", artifact).stderr
    (work / "a").unlink()
    (work / "a" / "b.txt").mkdir(parents=True)
    refused = az.refused(1, "pull", artifact)
    assert "b.txt" in refused.stderr
    assert refused.blob_gets == []
    assert az.refused(1, "pull", artifact, "-d", __file__).blob_gets == []


def test_a_full_disk_is_seen_before_the_first_byte(
    az: Az, origin: Origin, artifact: str, repository: str, work: Path
) -> None:
    origin.push_files(repository, {"big.bin": bytes(4_000_000)})
    out = work / "out"
    out.mkdir()
    with small_disk(out, 1_000_000) as mounted:
        (out / "mine").write_text("stays")
        limit = None if mounted else functools.partial(at_most, 1_000_000)
        refused = az.refused(1, "pull", artifact, "-d", "out", prepare=limit)
        assert str(out) in refused.stderr
        assert files_in(out) == {"mine"}
        assert refused.blob_gets == [] or not mounted


def test_a_disk_that_fills_up_leaves_the_older_file(
    az: Az, origin: Origin, artifact: str, repository: str, work: Path
) -> None:
    origin.push_files(repository, {"big.bin": bytes(4_000_000)})
    (work / "big.bin").write_text("mine")
    refused = az.refused(1, "pull", artifact, prepare=functools.partial(at_most, 1_000_000))
    assert "big.bin" in refused.stderr
    assert (work / "big.bin").read_text() == "mine"
    assert files_in(work) == {"big.bin"}


def test_a_folder_needs_no_space_to_be_packed(az: Az, artifact: str, work: Path, tmp_path: Path) -> None:
    (work / "d").mkdir()
    (work / "d" / "random.bin").write_bytes(os.urandom(4_000_000))
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    with small_disk(temporary, 1_000_000):
        pushed = az.using(TMPDIR=str(temporary)).artifact("push", artifact, "--file", "d")
        assert files_in(temporary) == set()
    assert pushed.json["bytesUploaded"] > 4_000_000
    assert files_in(work) == {"d/", "d/random.bin"}
