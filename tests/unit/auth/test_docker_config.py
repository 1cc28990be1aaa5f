"""Docker's credential file: every format in use, and nothing in it is lost."""

from __future__ import annotations

import json
import os
import threading
from base64 import b64encode
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from azext_acrartifact import errors, filelock
from azext_acrartifact.auth.credentials import REFRESH_TOKEN_USER
from azext_acrartifact.auth.docker_config import DockerConfig, DockerLogin
from tests.support.system import has_mode

S = "myregistry.azurecr.io"
PAIR = b64encode(b"me:pass:word").decode()
FOUND = f"""print('{{"ServerURL":"{S}","Username":"me","Secret":"from helper"}}')"""


@pytest.fixture
def config(tmp_path: Path) -> DockerConfig:
    return DockerConfig(tmp_path / "docker" / "config.json")


def written(config: DockerConfig, content: Any) -> DockerConfig:
    config.path.parent.mkdir(exist_ok=True)
    config.path.write_text(content if isinstance(content, str) else json.dumps(content))
    return config


def files_beside(config: DockerConfig) -> list[str]:
    """List the files in its folder, without the lock."""
    return sorted(path.name for path in config.path.parent.iterdir() if path.name != ".config.json.lock")


def test_its_path(tmp_path: Path) -> None:
    assert DockerConfig.of({}, tmp_path).path == tmp_path / ".docker" / "config.json"
    assert DockerConfig.of({"DOCKER_CONFIG": "/x"}, tmp_path).path == Path("/x/config.json")


@pytest.mark.parametrize("key", [S, f"https://{S}", f"https://{S}/v2/", f"{S}/"])
def test_an_entry_is_found_by_any_form_of_its_key(config: DockerConfig, key: str) -> None:
    assert written(config, {"auths": {key: {"auth": PAIR}}}).find(S) == DockerLogin("me", "pass:word")


def test_a_stored_entry_takes_precedence_over_an_old_clients(config: DockerConfig) -> None:
    old = {f"https://{S}/v1/": {"auth": b64encode(b"old:old").decode()}, "other": {"auth": PAIR}}
    written(config, {"auths": old}).store(S, DockerLogin("new", "new"))
    assert config.find(S) == DockerLogin("new", "new")
    assert written(config, {"auths": {**old, S: {}}}).find(S) == DockerLogin("old", "old")


def test_a_refresh_token_takes_precedence_over_a_password(config: DockerConfig) -> None:
    entry = {"auth": PAIR, "identitytoken": "token"}
    assert written(config, {"auths": {S: entry}}).find(S) == DockerLogin(REFRESH_TOKEN_USER, "token")


@pytest.mark.parametrize(
    "content",
    ["", "{}", {"auths": None}, {"auths": {S: None}}, {"auths": {S: {}}}, {"auths": {S: {"auth": "%%"}}},
     {"auths": {S: {"auth": "bWU="}}}, {"auths": {f"x{S}": {"auth": PAIR}}}, {"credHelpers": [S]},
     {"auths": {S: {"auth": "/////w=="}}}],
)  # fmt: skip
def test_there_is_no_credential(config: DockerConfig, content: Any) -> None:
    assert written(config, content).find(S) is None


@pytest.mark.parametrize("content", ["{", "[]", "5", "[" * 100_000, b"\xff".decode("latin-1")])
def test_a_malformed_file_is_named_and_not_changed(config: DockerConfig, content: str) -> None:
    written(config, content)
    with pytest.raises(errors.LocalFileError, match=r"config\.json"):
        config.find(S)
    with pytest.raises(errors.LocalFileError):
        config.store(S, DockerLogin("me", "x"))
    assert config.path.read_text() == content


def test_a_stored_credential_is_found_and_the_rest_stays(config: DockerConfig) -> None:
    rest = {"psFormat": "table", "auths": {"other.example": {"auth": PAIR}}, "proxies": {"default": {"a": [1]}}}
    written(config, rest).path.chmod(0o644)
    config.store(S, DockerLogin("me", "secret"))
    assert config.find(S) == DockerLogin("me", "secret")
    config.store(S, DockerLogin(REFRESH_TOKEN_USER, "token"))
    assert config.find(S) == DockerLogin(REFRESH_TOKEN_USER, "token")
    assert has_mode(config.path, 0o600)
    assert config.erase(S)
    assert not config.erase(S)
    assert json.loads(config.path.read_text()) == rest
    assert files_beside(config) == ["config.json"]


def test_the_folder_is_created(config: DockerConfig) -> None:
    config.store(S, DockerLogin("me", "secret"))
    assert has_mode(config.path.parent, 0o700)


def test_a_symbolic_link_stays_one(config: DockerConfig, tmp_path: Path) -> None:
    target = tmp_path / "real.json"
    target.write_text("{}")
    config.path.parent.mkdir()
    config.path.symlink_to(target)
    config.store(S, DockerLogin("me", "secret"))
    assert config.path.is_symlink()
    assert "auths" in json.loads(target.read_text())


def test_a_folder_that_cannot_be_created(config: DockerConfig) -> None:
    config.path.parent.write_text("a file")
    with pytest.raises(errors.LocalFileError, match=r"config\.json"):
        config.store(S, DockerLogin("me", "secret"))


def test_a_failed_write_leaves_the_old_file(config: DockerConfig) -> None:
    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    written(config, {"auths": {S: {"auth": PAIR}}})
    with pytest.raises(errors.LocalFileError, match="No space") as caught:
        DockerConfig(config.path, replace=fails).store(S, DockerLogin("you", "secret"))
    assert "DOCKER_CONFIG" in caught.value.hint
    assert config.find(S) == DockerLogin("me", "pass:word")
    assert files_beside(config) == ["config.json"]


@pytest.mark.parametrize("other", ["store", "erase"])
@pytest.mark.parametrize("own", ["store", "erase"])
def test_concurrent_changes_do_not_overwrite_each_other(config: DockerConfig, own: str, other: str) -> None:
    """Start the second change just before the first one replaces the file."""
    servers = {"own": S, "other": "other.azurecr.io"}
    written(config, {"auths": {server: {"auth": PAIR} for server in servers.values()}})

    def change(mine: DockerConfig, who: str, what: str) -> None:
        if what == "erase":
            assert mine.erase(servers[who])
        else:
            mine.store(servers[who], DockerLogin(who, "new"))

    second = threading.Thread(target=change, args=(DockerConfig(config.path), "other", other))

    def late(source: str, target: Path) -> None:
        second.start()
        second.join(0.3)
        os.replace(source, target)

    change(DockerConfig(config.path, replace=late), "own", own)
    second.join(60)
    for who, what in (("own", own), ("other", other)):
        assert config.find(servers[who]) == (None if what == "erase" else DockerLogin(who, "new"))


def test_a_lock_that_is_never_released_is_an_error(config: DockerConfig) -> None:
    written(config, {})
    impatient = DockerConfig(config.path, lock_timeout=0.05)
    with filelock.locked(config.path.with_name(".config.json.lock"), 0):
        with pytest.raises(errors.LocalFileError, match="another process has not released its lock"):
            impatient.store(S, DockerLogin("me", "secret"))
    impatient.store(S, DockerLogin("me", "secret"))


def test_a_file_system_without_locks_is_supported(config: DockerConfig) -> None:
    DockerConfig(config.path, lock=lambda path, timeout: nullcontext(False)).store(S, DockerLogin("me", "secret"))
    assert config.find(S) == DockerLogin("me", "secret")


def test_a_servers_own_helper_takes_precedence(config: DockerConfig, helper) -> None:
    record = helper(FOUND)
    written(config, {"credHelpers": {S: "s"}, "credsStore": "absent", "auths": {S: {"auth": PAIR}}})
    assert config.find(S) == DockerLogin("me", "from helper")
    assert record.read_text() == f"get {S}"
    assert config.location_of(S) == "docker-credential-s"


def test_a_refresh_token_has_dockers_user_name_in_a_helper(config: DockerConfig, helper) -> None:
    record = helper("")
    written(config, {"credsStore": "s"}).store(S, DockerLogin(REFRESH_TOKEN_USER, "token"))
    assert json.loads(record.read_text().removeprefix("store ")) == {
        "ServerURL": S, "Username": "<token>", "Secret": "token"
    }  # fmt: skip
    assert json.loads(config.path.read_text()) == {"credsStore": "s", "auths": {S: {}}}
    helper(FOUND.replace('"me"', '"<token>"'))
    assert config.find(S) == DockerLogin(REFRESH_TOKEN_USER, "from helper")


def test_a_helper_without_the_credential(config: DockerConfig, helper) -> None:
    helper("print('credentials not found in native keychain'); sys.exit(1)")
    written(config, {"credsStore": "s"})
    assert config.find(S) is None
    assert not config.erase(S)
