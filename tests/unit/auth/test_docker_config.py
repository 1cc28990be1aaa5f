"""Docker's credential file: every form that is found in the wild, and that nothing in it is lost."""

from __future__ import annotations

import json
import os
import stat
import threading
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest

from azext_acrartifact import errors, filelock
from azext_acrartifact.auth import credential_helper, docker_config
from azext_acrartifact.auth.credentials import REFRESH_TOKEN_USER
from azext_acrartifact.auth.docker_config import DockerConfig, DockerLogin

S = "myregistry.azurecr.io"
PAIR = b64encode(b"me:pass:word").decode()


@pytest.fixture
def config(tmp_path: Path) -> DockerConfig:
    return DockerConfig(tmp_path / "docker" / "config.json")


def written(config: DockerConfig, content: Any) -> DockerConfig:
    config.path.parent.mkdir(exist_ok=True)
    config.path.write_text(content if isinstance(content, str) else json.dumps(content))
    return config


def files_beside(config: DockerConfig) -> list[str]:
    """The files of its folder, without the one that is only locked."""
    return sorted(path.name for path in config.path.parent.iterdir() if path.name != ".config.json.lock")


def helper(folder: Path, name: str, script: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A credential helper on the PATH; what it is told goes to the file that is returned."""
    program = folder / f"docker-credential-{name}"
    told = folder / "told"
    program.write_text(f"#!/bin/sh\nprintf '%s ' \"$1\" >>'{told}'\ncat >>'{told}'\n{script}\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")
    return told


def test_its_place(tmp_path: Path) -> None:
    assert DockerConfig.of({}, tmp_path).path == tmp_path / ".docker" / "config.json"
    assert DockerConfig.of({"DOCKER_CONFIG": "/x"}, tmp_path).path == Path("/x/config.json")


@pytest.mark.parametrize("key", [S, f"https://{S}", f"https://{S}/v2/", f"{S}/"])
def test_an_entry_is_found_by_any_form_of_its_key(config: DockerConfig, key: str) -> None:
    assert written(config, {"auths": {key: {"auth": PAIR}}}).find(S) == DockerLogin("me", "pass:word")


def test_what_was_stored_goes_before_an_old_clients_entry(config: DockerConfig) -> None:
    old = {f"https://{S}/v1/": {"auth": b64encode(b"old:old").decode()}, "other": {"auth": PAIR}}
    written(config, {"auths": old}).store(S, DockerLogin("new", "new"))
    assert config.find(S) == DockerLogin("new", "new")
    assert written(config, {"auths": {**old, S: {}}}).find(S) == DockerLogin("old", "old")


def test_a_refresh_token_goes_before_the_pair(config: DockerConfig) -> None:
    entry = {"auth": PAIR, "identitytoken": "token"}
    assert written(config, {"auths": {S: entry}}).find(S) == DockerLogin(REFRESH_TOKEN_USER, "token")


@pytest.mark.parametrize(
    "content",
    ["", "{}", {"auths": None}, {"auths": {S: None}}, {"auths": {S: {}}}, {"auths": {S: {"auth": "%%"}}},
     {"auths": {S: {"auth": "bWU="}}}, {"auths": {f"x{S}": {"auth": PAIR}}}, {"credHelpers": [S]},
     {"auths": {S: {"auth": "/////w=="}}}],
)  # fmt: skip
def test_there_is_none(config: DockerConfig, content: Any) -> None:
    assert written(config, content).find(S) is None


@pytest.mark.parametrize("content", ["{", "[]", "5", "[" * 100_000, b"\xff".decode("latin-1")])
def test_a_file_of_another_shape_is_named_and_left(config: DockerConfig, content: str) -> None:
    written(config, content)
    with pytest.raises(errors.LocalFileError, match=r"config\.json"):
        config.find(S)
    with pytest.raises(errors.LocalFileError):
        config.store(S, DockerLogin("me", "x"))
    assert config.path.read_text() == content


def test_what_is_stored_is_found_and_the_rest_stays(config: DockerConfig) -> None:
    rest = {"psFormat": "table", "auths": {"other.example": {"auth": PAIR}}, "proxies": {"default": {"a": [1]}}}
    written(config, rest).path.chmod(0o644)
    config.store(S, DockerLogin("me", "secret"))
    assert config.find(S) == DockerLogin("me", "secret")
    config.store(S, DockerLogin(REFRESH_TOKEN_USER, "token"))
    assert config.find(S) == DockerLogin(REFRESH_TOKEN_USER, "token")
    assert stat.S_IMODE(config.path.stat().st_mode) == 0o600
    assert config.erase(S)
    assert not config.erase(S)
    assert json.loads(config.path.read_text()) == rest
    assert files_beside(config) == ["config.json"]


def test_the_folder_is_made(config: DockerConfig) -> None:
    config.store(S, DockerLogin("me", "secret"))
    assert stat.S_IMODE(config.path.parent.stat().st_mode) == 0o700


def test_a_link_stays_one(config: DockerConfig, tmp_path: Path) -> None:
    target = tmp_path / "real.json"
    target.write_text("{}")
    config.path.parent.mkdir()
    config.path.symlink_to(target)
    config.store(S, DockerLogin("me", "secret"))
    assert config.path.is_symlink()
    assert "auths" in json.loads(target.read_text())


def test_a_folder_that_cannot_be_written(config: DockerConfig) -> None:
    config.path.parent.write_text("a file")
    with pytest.raises(errors.LocalFileError, match=r"config\.json"):
        config.store(S, DockerLogin("me", "secret"))


def test_a_failed_write_leaves_the_old_file(config: DockerConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    written(config, {"auths": {S: {"auth": PAIR}}})
    monkeypatch.setattr("os.replace", fails)
    with pytest.raises(errors.LocalFileError, match="No space"):
        config.store(S, DockerLogin("you", "secret"))
    assert config.find(S) == DockerLogin("me", "pass:word")
    assert files_beside(config) == ["config.json"]


@pytest.mark.parametrize("other", ["store", "erase"])
@pytest.mark.parametrize("own", ["store", "erase"])
def test_two_at_once_lose_nothing_of_each_other(
    config: DockerConfig, monkeypatch: pytest.MonkeyPatch, own: str, other: str
) -> None:
    """The second comes just before the first gives the file its name."""
    servers = {"own": S, "other": "other.azurecr.io"}
    written(config, {"auths": {server: {"auth": PAIR} for server in servers.values()}})

    def change(who: str, what: str) -> None:
        mine = DockerConfig(config.path)
        if what == "erase":
            assert mine.erase(servers[who])
        else:
            mine.store(servers[who], DockerLogin(who, "new"))

    second = threading.Thread(target=change, args=("other", other))
    replace = os.replace

    def late(*arguments: Any) -> None:
        if second.ident is None:
            second.start()
            second.join(0.3)
        replace(*arguments)

    monkeypatch.setattr(os, "replace", late)
    change("own", own)
    second.join(60)
    for who, what in (("own", own), ("other", other)):
        assert config.find(servers[who]) == (None if what == "erase" else DockerLogin(who, "new"))


def test_a_lock_that_is_never_let_go_of_is_told(config: DockerConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    written(config, {})
    monkeypatch.setattr(docker_config, "LONGEST_WAIT", 0.05)
    with filelock.locked(config.path.with_name(".config.json.lock"), 0):
        with pytest.raises(errors.LocalFileError, match="another process holds its lock"):
            config.store(S, DockerLogin("me", "secret"))
    config.store(S, DockerLogin("me", "secret"))


def test_a_file_system_without_locks_stops_nobody(config: DockerConfig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(filelock, "try_lock", lambda _descriptor: None)
    config.store(S, DockerLogin("me", "secret"))
    assert config.find(S) == DockerLogin("me", "secret")


class TestHelper:
    ANSWER = f"""echo '{{"ServerURL":"{S}","Username":"me","Secret":"from helper"}}'"""

    def test_the_servers_own_goes_before_the_store(self, config, tmp_path, monkeypatch) -> None:
        told = helper(tmp_path, "own", self.ANSWER, monkeypatch)
        written(config, {"credHelpers": {S: "own"}, "credsStore": "absent", "auths": {S: {"auth": PAIR}}})
        assert config.find(S) == DockerLogin("me", "from helper")
        assert told.read_text() == f"get {S}"
        assert config.place_of(S) == "docker-credential-own"

    def test_a_refresh_token_has_dockers_name_there(self, config, tmp_path, monkeypatch) -> None:
        told = helper(tmp_path, "s", "", monkeypatch)
        written(config, {"credsStore": "s"}).store(S, DockerLogin(REFRESH_TOKEN_USER, "token"))
        assert json.loads(told.read_text().removeprefix("store ")) == {
            "ServerURL": S, "Username": "<token>", "Secret": "token"
        }  # fmt: skip
        assert json.loads(config.path.read_text()) == {"credsStore": "s", "auths": {S: {}}}
        helper(tmp_path, "s", self.ANSWER.replace('"me"', '"<token>"'), monkeypatch)
        assert config.find(S) == DockerLogin(REFRESH_TOKEN_USER, "from helper")

    def test_what_it_does_not_have(self, config, tmp_path, monkeypatch) -> None:
        helper(tmp_path, "s", "echo credentials not found in native keychain; exit 1", monkeypatch)
        written(config, {"credsStore": "s"})
        assert config.find(S) is None
        assert not config.erase(S)

    @pytest.mark.parametrize(
        ("script", "why"),
        [("echo locked >&2; exit 2", "locked"), ("exit 3", "code 3"), ("echo []", "protocol"), ("echo {}", "protocol"),
         ("echo nothing", "protocol")],
    )  # fmt: skip
    def test_one_that_fails_is_named(self, config, tmp_path, monkeypatch, script: str, why: str) -> None:
        helper(tmp_path, "s", script, monkeypatch)
        with pytest.raises(errors.SignInError, match=why) as caught:
            written(config, {"credsStore": "s"}).find(S)
        assert caught.value.where == "docker-credential-s"

    def test_a_failed_store_or_erase(self, config, tmp_path, monkeypatch) -> None:
        helper(tmp_path, "s", f"[ $1 = get ] && {self.ANSWER} && exit 0; echo locked; exit 1", monkeypatch)
        written(config, {"credsStore": "s"})
        for action in (lambda: config.store(S, DockerLogin("me", "secret")), lambda: config.erase(S)):
            with pytest.raises(errors.SignInError, match="locked") as caught:
                action()
            assert "secret" not in str(caught.value)

    @pytest.mark.parametrize("name", ["absent", "../evil", "a/b", "-x"])
    def test_one_that_is_not_there(self, config, name: str) -> None:
        with pytest.raises(errors.SignInError, match="not installed"):
            written(config, {"credsStore": name}).find(S)

    def test_one_that_hangs(self, config, tmp_path, monkeypatch) -> None:
        helper(tmp_path, "s", "exec sleep 30", monkeypatch)
        monkeypatch.setattr(credential_helper, "LIMIT", 0.3)
        with pytest.raises(errors.SignInError, match="did not end"):
            written(config, {"credsStore": "s"}).find(S)

    def test_one_that_cannot_be_started(self, config, tmp_path, monkeypatch) -> None:
        helper(tmp_path, "s", "", monkeypatch)
        (tmp_path / "docker-credential-s").write_text("#!/no/such/shell\n")
        with pytest.raises(errors.SignInError, match="No such file"):
            written(config, {"credsStore": "s"}).find(S)
