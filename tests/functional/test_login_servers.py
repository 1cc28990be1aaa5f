"""A registry's bare name never leads to somebody else's registry, and is looked up once."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import SUBSCRIPTION
from tests.functional.az import Az, Result, hosts
from tests.functional.origin import SERVER, Origin
from tests.functional.terminal import at_terminal

ARM = "management.azure.com"
NAME = "abacregistry"
OURS = "abacregistry-d7fqc4e3.azurecr.io"
STRANGERS = "abacregistry.azurecr.io"
LISTING = f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.ContainerRegistry/registries$"


@pytest.fixture
def own(az: Az, sign_in: Callable[[str], Path], tmp_path: Path) -> Az:
    """Return `az` with a copy of the pusher's login, and no credential of docker's."""
    config = tmp_path / "config"
    shutil.copytree(sign_in("pusher"), config)
    return az.using(config=config, DOCKER_CONFIG=str(tmp_path / "docker"))


@pytest.fixture
def image(emulator: Emulator, repository: str) -> str:
    """Push the same artifact to our registry and to that of another tenant, which has the name alone and allows
    anonymous access; return REPOSITORY:TAG."""
    stranger = {"login_server": STRANGERS, "anonymous_pull_enabled": True}
    emulator.set(registries={"otherregistry": stranger})
    Origin(emulator, STRANGERS, "other").push_files(repository, {"a.txt": b"the stranger's"})
    Origin(emulator, OURS).push_files(repository, {"a.txt": b"ours"})
    emulator.clear_log()
    return f"{repository}:1.0"


def lookups(result: Result) -> int:
    """Count the requests to Azure Resource Manager."""
    return len(result.to(ARM))


def pulled(folder: Path) -> str:
    """Return the content of the file that was pulled."""
    return (folder / "out" / "a.txt").read_text()


def test_a_name_leads_to_the_users_own_registry(own: Az, image: str, work: Path) -> None:
    first = own.artifact("pull", "--name", NAME, "--image", image, "-d", "out")
    assert (pulled(work), first.json["reference"]) == ("ours", f"{OURS}/{image}")
    again = own.artifact("show", "--name", NAME.upper(), "--image", image)
    assert [lookups(first), lookups(again)] == [1, 0]
    assert STRANGERS not in hosts([*first.log, *again.log])


def test_no_command_reaches_the_stranger(own: Az, image: str, repository: str, work: Path) -> None:
    (work / "b.txt").write_text("two")
    config = own.variables["AZURE_CONFIG_DIR"]
    assert own("configure", "--defaults", f"acr={NAME}").code == 0
    runs = [
        own.artifact("show", image),
        own.artifact("push", f"{repository}:2.0", "--file", "b.txt"),
        own.artifact("list", "--name", NAME, "--repository", repository),
        own.artifact("copy", image, "--to", f"{repository}:3.0", "--to-name", NAME),
        own.artifact("backup", "--image", image, "--destination", "saved"),
        own.artifact("check-access", "--name", NAME, "--repository", repository),
        own.artifact("login", "--name", NAME),
        own.artifact("logout", "--name", NAME),
        own.artifact("pull", "--image", image, "-d", "out", "--auth-mode", "login"),
        own.artifact("delete", "--image", image, "--yes"),
    ]
    assert runs[6].json["loginServer"] == runs[7].json["loginServer"] == OURS
    assert runs[7].json["removed"]
    assert STRANGERS not in hosts([entry for run in runs for entry in run.log])
    assert sum(map(lookups, runs)) == 1
    stored = json.loads((Path(config) / "acrartifact" / "refresh_tokens.json").read_text())
    assert [entry["loginServer"] for entry in stored if "loginServer" in entry] == [OURS]


@pytest.mark.parametrize("leave", [("logout",), ("account", "clear")], ids=["logout", "clear"])
def test_after_a_logout_nothing_of_the_name_is_stored_or_read(own: Az, image: str, leave: tuple[str, ...]) -> None:
    own.artifact("show", "--name", NAME, "--image", image)
    assert own(*leave).code == 0
    refused = own.refused(1, "pull", "--name", NAME, "--image", image)
    assert refused.log == []
    assert "az login" in refused.stderr
    assert f"--name {STRANGERS}" not in refused.stderr
    assert OURS not in (Path(own.variables["AZURE_CONFIG_DIR"]) / "acrartifact" / "refresh_tokens.json").read_text()


def test_anonymous_access_needs_the_whole_login_server(own: Az, signed_out: Az, image: str, work: Path) -> None:
    for client in (own, signed_out):
        refused = client.refused(1, "pull", "--name", NAME, "--image", image, "--auth-mode", "anonymous", "-d", "out")
        assert STRANGERS not in hosts(refused.log)
        assert not refused.registry()
        assert "whole login server" in refused.stderr
    typed = signed_out.artifact("pull", f"{STRANGERS}/{image}", "-d", "out", "--auth-mode", "anonymous")
    assert (pulled(work), typed.json["signIn"]) == ("the stranger's", "anonymous")


def test_a_password_is_not_sent_to_the_stranger(own: Az, image: str) -> None:
    who = ("--username", "me", "--password-stdin")
    refused = own.refused(1, "pull", "--name", NAME, "--image", image, *who, stdin="secret\n")
    assert [entry.path for entry in refused.registry()] == ["/oauth2/token"]
    assert STRANGERS not in hosts(refused.log)


def test_nothing_is_read_if_resource_manager_does_not_know_the_name(
    own: Az, emulator: Emulator, image: str, work: Path
) -> None:
    emulator.fault(host=ARM, action="status", status=200, body='{"value":[]}')
    refused = own.refused(1, "pull", "--name", NAME, "--image", image, "-d", "out")
    assert [(entry.path, entry.status) for entry in refused.to(STRANGERS)] == [("/oauth2/exchange", 401)]
    assert not (work / "out").exists()
    assert "give its login server" in refused.stderr
    emulator.clear_faults()
    own.artifact("pull", "--name", NAME, "--image", image, "-d", "out")
    assert pulled(work) == "ours"


def test_a_data_plane_role_alone_is_enough(
    own: Az, emulator: Emulator, origin: Origin, repository: str, work: Path
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.fault(host=ARM, path=LISTING, action="status", status=403)
    image = ("--name", "myregistry", "--image", f"{repository}:1.0")
    runs = [own.artifact("show", *image) for _ in range(2)]
    assert [lookups(run) for run in runs] == [1, 0]
    assert own.using(AZURE_ACRARTIFACT_TOKEN_CACHE="off").artifact("show", *image).to(ARM)


def test_a_registry_that_moved_is_looked_up_again(own: Az, emulator: Emulator, image: str) -> None:
    named = ("--name", NAME, "--image", image)
    own.artifact("show", *named)
    moved = "abacregistry-a1b2c3d4.azurecr.io"
    emulator.set(registries={NAME: {"login_server": moved}})
    found = own.artifact("show", *named)
    assert [found.json["digest"] != "", lookups(found), hosts(found.log) >= {moved}] == [True, 1, True]


def test_two_names_are_looked_up_at_once(own: Az, image: str, repository: str) -> None:
    to = ("--to", f"{repository}:2.0", "--to-name", "targetregistry")
    copied = own.artifact("copy", "--name", NAME, "--image", image, *to, "--dry-run")
    assert lookups(copied) == 1
    assert STRANGERS not in hosts(copied.log)


def test_a_suffix_or_a_login_server_needs_no_look_up(own: Az, image: str) -> None:
    for named in (("--name", NAME, "--suffix", "d7fqc4e3"), ("--name", f"{NAME}-d7fqc4e3"), ("--name", OURS)):
        assert not lookups(own.artifact("show", *named, "--image", image))


def test_an_anonymous_read_after_a_refused_sign_in_is_reported(
    own: Az, emulator: Emulator, origin: Origin, artifact: str, repository: str
) -> None:
    origin.push_files(repository, {"a.txt": b"one"})
    emulator.set(registries={"myregistry": {"anonymous_pull_enabled": True}})
    assert "signIn" not in own.artifact("pull", artifact, "-d", "out").json
    emulator.fault(host=SERVER, path="/oauth2/exchange", action="status", status=401)
    shutil.rmtree(Path(own.variables["AZURE_CONFIG_DIR"]) / "acrartifact")
    for command in (["pull", artifact, "-d", "out"], ["backup", artifact, "--destination", "saved"]):
        assert own.artifact(*command).json["signIn"] == "anonymous"
    shown = at_terminal(own, "acr", "artifact", "pull", artifact, "-d", "out").stdout
    assert f"Reads {SERVER} without a sign-in" in shown
    own.refused(1, "pull", "--name", "myregistry", "--image", f"{repository}:1.0")


WRONG = {
    "path": "evil.example/x.azurecr.io", "user": "me@evil.azurecr.io", "port": "abacregistry.azurecr.io:8443",
    "query": "evil.example?.azurecr.io", "line": "abacregistry\r\n.azurecr.io", "other": "evilregistry.azurecr.io",
    "suffix": "abacregistry.azurecr.io.evil.example", "loopback": "127.0.0.1:5000", "bare": ".azurecr.io",
    "label": "abacregistry..azurecr.io", "joined": "abacregistryazurecr.io", "backslash": "evil.example\\.azurecr.io",
    "prefix": "abacregistryx.azurecr.io",
}  # fmt: skip


@pytest.mark.parametrize("kind", WRONG)
def test_a_wrong_login_server_is_not_contacted(own: Az, emulator: Emulator, image: str, kind: str) -> None:
    identifier = (
        f"/subscriptions/{SUBSCRIPTION}/resourceGroups/g/providers/Microsoft.ContainerRegistry/registries/{NAME}"
    )
    item = {"id": identifier, "name": NAME, "properties": {"loginServer": WRONG[kind]}}
    emulator.fault(host=ARM, path=LISTING, action="status", status=200, body=json.dumps({"value": [item]}))
    refused = own.refused(1, "pull", "--name", NAME, "--image", image)
    assert "unexpected login server" in refused.stderr
    assert hosts(refused.log) <= {ARM, "login.microsoftonline.com"}


RESPONSES = {
    "a redirect": {"status": 302, "headers": {"Location": "https://evil.example/registries"}},
    "another host's page": {"status": 200, "body": '{"value":[],"nextLink":"https://evil.example/next"}'},
    "a page of plain HTTP": {"status": 200, "body": '{"value":[],"nextLink":"http://management.azure.com/next"}'},
    "pages without end": {"status": 200, "body": f'{{"value":[],"nextLink":"https://{ARM}/next"}}'},
    "no JSON": {"status": 200, "body": "<html>"},
    "a list": {"status": 200, "body": "[]"},
    "odd items": {"status": 200, "body": '{"value":[1,null,{},{"id":5},{"properties":[]}],"nextLink":5}'},
    "brackets": {"status": 200, "body": "[" * 100_000},
    "a failure": {"status": 503},
}


@pytest.mark.parametrize("kind", RESPONSES)
def test_a_hostile_resource_manager_gets_no_further(own: Az, emulator: Emulator, image: str, kind: str) -> None:
    emulator.fault(host=ARM, path="^/(subscriptions|next)", action="status", **RESPONSES[kind])
    refused = own.refused(1, "pull", "--name", NAME, "--image", image)
    assert hosts(refused.log) <= {ARM, "login.microsoftonline.com", STRANGERS}
    assert lookups(refused) <= 2
