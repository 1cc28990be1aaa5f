"""Every user of the emulator's registries may sign in with every peer, and has the same permissions there."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from tests.interop.conftest import Variables
from tests.interop.programs import AZ, run
from tests.interop.registry import Registry, User

CI = User("ci-token", "ci-token-password")
READER = User("read-token", "read-token-password")
REFRESH_TOKEN_USER = "00000000-0000-0000-0000-000000000000"
ABAC_SERVER = "abacregistry-d7fqc4e3.azurecr.io"


@pytest.fixture
def fresh(emulator: Emulator, variables: Variables) -> Registry:
    """Return `myregistry`, without a sign-in."""
    ours = variables()
    return Registry("myregistry.azurecr.io", ours | emulator.environment(Path(ours["AZURE_CONFIG_DIR"])))


def _file(work: Path) -> str:
    (work / "one.txt").write_bytes(b"one\n")
    return "one.txt"


def test_a_repository_token_writes_where_its_scope_map_says(fresh: Registry, work: Path, out: Path) -> None:
    name, ours = _file(work), replace(fresh, az_user=CI)
    fresh.sign_in(work, CI)
    theirs = fresh.at("samples/by-oras")
    fresh.oras(work, "push", theirs, name)
    ours.push(work, ours.at("samples/by-us"), "--file", name)
    elsewhere = fresh.at("interop/elsewhere")
    fresh.oras(work, "push", elsewhere, name, code=1)
    assert "No permission" in ours.az(work, "push", elsewhere, "--file", name, code=1).stderr
    fresh.oras(out, "pull", fresh.at("samples/by-us"))
    assert (out / name).read_bytes() == b"one\n"
    digest = ours.pull(out, theirs, "--destination", "theirs")["digest"]
    assert fresh.oras(work, "resolve", theirs).text == digest
    assert fresh.crane(work, "digest", theirs).text == digest
    assert fresh.regctl(work, "image", "digest", theirs).text == digest


def test_a_reader_pulls_and_pushes_nothing(azure: Registry, fresh: Registry, work: Path, out: Path) -> None:
    name, ours = _file(work), replace(fresh, az_user=READER)
    reference = azure.at("samples/to-read")
    azure.push(work, reference, "--file", name)
    fresh.sign_in(work, READER)
    fresh.oras(out, "pull", reference)
    ours.pull(out, reference, "--destination", "ours")
    assert (out / name).read_bytes() == (out / "ours" / name).read_bytes() == b"one\n"
    fresh.oras(work, "push", fresh.at("samples/to-read", "2.0"), name, code=1)
    assert "No permission" in ours.az(work, "push", ours.at("samples/to-read", "2.0"), "--file", name, code=1).stderr


def test_the_peers_sign_in_with_the_token_that_az_exposes(
    azure: Registry, fresh: Registry, repository: str, work: Path
) -> None:
    pushed = azure.push(work, azure.at(repository), "--file", _file(work))
    exposed = run([*AZ, "acr", "login", "--name", "myregistry", "--expose-token"], work, azure.variables)
    user = User(REFRESH_TOKEN_USER, json.loads(exposed.stdout)["accessToken"])
    fresh.sign_in(work, user)
    reference = azure.at(repository)
    assert fresh.oras(work, "resolve", reference).text == pushed["digest"]
    assert fresh.crane(work, "digest", reference).text == pushed["digest"]
    assert fresh.regctl(work, "image", "digest", reference).text == pushed["digest"]
    fresh.skopeo(work, "inspect", "--raw", f"docker://{reference}")
    fresh.oras(work, "push", fresh.at(repository, "2.0"), "one.txt")
    assert replace(fresh, az_user=user).pull(work, fresh.at(repository, "2.0"))["files"][0]["state"] == "unchanged"


def test_a_wrong_password_is_refused(fresh: Registry, work: Path) -> None:
    name = ["-u", CI.name, "--password-stdin"]
    assert "unauthorized" in fresh.oras(work, "login", fresh.server, *name, stdin="wrong", code=1).stderr
    fresh.skopeo(work, "login", *name, fresh.server, stdin="wrong", code=1)
    wrong = replace(fresh, az_user=User(CI.name, "wrong"))
    assert "did not accept the sign-in" in wrong.az(work, "pull", wrong.at("samples/any"), code=1).stderr


def test_a_registry_with_repository_permissions_goes_both_ways(
    azure: Registry, fresh: Registry, pusher: User, repository: str, work: Path, out: Path
) -> None:
    abac, signed_in = replace(fresh, server=ABAC_SERVER), replace(azure, server=ABAC_SERVER)
    abac.oras(work, "login", ABAC_SERVER, "-u", pusher.name, "--password-stdin", stdin=pusher.password)
    signed_in.push(work, abac.at(repository, "ours"), "--file", _file(work))
    abac.oras(work, "push", abac.at(repository, "theirs"), "one.txt")
    abac.oras(out, "pull", abac.at(repository, "ours"), "-o", "theirs")
    signed_in.pull(out, abac.at(repository, "theirs"), "--destination", "ours")
    assert (out / "theirs" / "one.txt").read_bytes() == (out / "ours" / "one.txt").read_bytes() == b"one\n"


def test_the_peers_pull_anonymously_where_allowed(
    azure: Registry, fresh: Registry, emulator: Emulator, repository: str, work: Path, out: Path
) -> None:
    pushed = azure.push(work, azure.at(repository), "--file", _file(work))
    reference = azure.at(repository)
    fresh.oras(out, "pull", reference, code=1)
    emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True}})
    try:
        fresh.oras(out, "pull", reference)
        assert fresh.crane(work, "digest", reference).text == pushed["digest"]
        assert fresh.regctl(work, "image", "digest", reference).text == pushed["digest"]
        fresh.skopeo(work, "inspect", "--raw", f"docker://{reference}")
        fresh.oras(work, "push", fresh.at(repository, "2.0"), "one.txt", code=1)
    finally:
        emulator.reset()
    assert (out / "one.txt").read_bytes() == b"one\n"
