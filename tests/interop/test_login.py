"""Other programs sign in with the credential of `az acr artifact login`, as they find it in the home folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.interop.registry import Registry, User


@pytest.fixture
def home(azure: Registry, tmp_path: Path) -> Registry:
    """Return the registry, seen from a home folder in which only az is signed in."""
    mine = {name: value for name, value in azure.variables.items() if name != "REGISTRY_AUTH_FILE"}
    home = {"HOME": str(tmp_path), "DOCKER_CONFIG": str(tmp_path / ".docker"), "XDG_RUNTIME_DIR": str(tmp_path)}
    return replace(azure, variables={**mine, **home, "REGCTL_CONFIG": str(tmp_path / "regctl.json")})


@pytest.mark.parametrize("by", ["login", "password"])
def test_the_peers_sign_in_with_the_saved_credential(
    home: Registry, azure: Registry, pusher: User, repository: str, work: Path, out: Path, by: str
) -> None:
    (work / "one.txt").write_text("one\n")
    digest = azure.push(work, azure.at(repository), "--file", "one.txt")["digest"]
    home.oras(out, "pull", home.at(repository), code=1)
    replace(home, az_user=pusher if by == "password" else None).az(work, "login", "--name", home.server)
    home.oras(out, "pull", home.at(repository))
    assert (out / "one.txt").read_text() == "one\n"
    home.oras(work, "push", home.at(repository, "2.0"), "one.txt")
    assert home.crane(work, "digest", home.at(repository)).text == digest
    assert home.regctl(work, "image", "digest", home.at(repository)).text == digest
    home.skopeo(work, "inspect", "--raw", f"docker://{home.at(repository)}")
    home.az(work, "logout", "--name", home.server)
    home.oras(out, "pull", home.at(repository), code=1)
