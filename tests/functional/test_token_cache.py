"""Cached refresh tokens: one exchange for many commands, and none after a logout."""

from __future__ import annotations

import json
import shutil
import stat
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from acr_emulator.client import Emulator
from acr_emulator.world import default_world
from tests.functional.az import TOKEN, Az, Result
from tests.functional.origin import SERVER, Origin
from tests.functional.test_auth_mode import stored as stored  # the fixture

SIGN_IN = "login.microsoftonline.com"
EXCHANGE = "/oauth2/exchange"


@pytest.fixture
def own(az: Az, sign_in: Callable[[str], Path], tmp_path: Path) -> Az:
    """Return `az` with a copy of the pusher's login."""
    config = tmp_path / "config"
    shutil.copytree(sign_in("pusher"), config)
    return az.using(config=config)


def cache_of(az: Az) -> Path:
    """Return the path of the file with the tokens."""
    return Path(az.variables["AZURE_CONFIG_DIR"]) / "acrartifact" / "refresh_tokens.json"


def login(az: Az, name: str) -> None:
    """Sign in as the service principal *name*."""
    principal = default_world().principal(name)
    assert principal is not None
    who = ("-u", principal.client_id, "-p", principal.secrets[0], "--tenant", principal.tenant_id)
    assert az("login", "--service-principal", *who).code == 0


def exchanges(result: Result) -> int:
    """Count the refresh tokens that a command requested."""
    return len(result.to(SERVER, EXCHANGE))


def test_twenty_commands_make_one_exchange(own: Az, stored: str) -> None:
    first = own.artifact("show", stored)
    rest = [own.artifact("show", stored) for _ in range(19)]
    assert [exchanges(result) for result in [first, *rest]] == [1] + [0] * 19
    for result in rest:
        assert not result.to(SIGN_IN)
        assert len(result.to(SERVER, "/oauth2/token")) == 1
        assert len(result.log) == len(first.registry()) - 1
    assert stat.S_IMODE(cache_of(own).stat().st_mode) == 0o600
    assert stat.S_IMODE(cache_of(own).parent.stat().st_mode) == 0o700


def test_eight_at_once_do_not_disturb_one_another(own: Az, stored: str, emulator: Emulator) -> None:
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _: own("acr", "artifact", "show", stored), range(8)))
    assert [(result.code, result.stderr) for result in results] == [(0, "")] * 8
    assert 1 <= len([entry for entry in emulator.log() if entry.path == EXCHANGE]) <= 8
    assert len(json.loads(cache_of(own).read_text())) == 1
    assert exchanges(own.artifact("show", stored)) == 0


@pytest.mark.parametrize("leave", [("logout",), ("account", "clear")], ids=["logout", "clear"])
def test_after_a_logout_there_is_no_token(own: Az, stored: str, leave: tuple[str, ...]) -> None:
    own.artifact("show", stored)
    token = json.loads(cache_of(own).read_text())[0]["token"]
    assert own(*leave).code == 0
    refused = own.refused(1, "delete", stored, "--yes")
    assert "az login" in refused.stderr
    assert refused.log == []
    assert token not in cache_of(own).read_text()


def test_a_new_login_uses_no_token_of_an_earlier_one(own: Az, stored: str) -> None:
    own.artifact("show", stored)
    assert own("logout").code == 0
    login(own, "pusher")
    assert exchanges(own.artifact("show", stored)) == 1


def test_another_account_uses_no_token_of_the_first(own: Az, stored: str) -> None:
    own.artifact("show", stored)
    login(own, "reader")
    refused = own.refused(1, "delete", stored, "--yes")
    assert exchanges(refused) == 1
    assert len(json.loads(cache_of(own).read_text())) == 1


def test_each_registry_has_its_own_token(own: Az, origin: Origin, stored: str, repository: str) -> None:
    own.artifact("show", stored)
    elsewhere = own("acr", "artifact", "show", f"targetregistry.azurecr.io/{repository}:1.0")
    assert elsewhere.to("targetregistry.azurecr.io", EXCHANGE)
    assert len(json.loads(cache_of(own).read_text())) == 2


def test_a_refused_token_is_replaced(own: Az, stored: str, emulator: Emulator) -> None:
    own.artifact("show", stored)
    emulator.fault(host=SERVER, path="/oauth2/token", action="expire_token", times=1)
    again = own.artifact("show", stored)
    assert [entry.status for entry in again.to(SERVER, "/oauth2/token")] == [401, 200]
    assert exchanges(again) == 1
    assert exchanges(own.artifact("show", stored)) == 0


def test_an_expired_token_is_not_sent(own: Az, stored: str, emulator: Emulator) -> None:
    emulator.set(lifetimes={"acr_refresh": 1})
    own.artifact("show", stored)
    time.sleep(2)
    emulator.set(lifetimes={"acr_refresh": 3600})
    again = own.artifact("show", stored)
    assert exchanges(again) == 1
    assert 401 not in [entry.status for entry in again.log]


def test_no_token_is_cached_if_the_cache_is_off(own: Az, stored: str) -> None:
    off = own.using(AZURE_ACRARTIFACT_TOKEN_CACHE="off")
    assert [exchanges(off.artifact("show", stored)) for _ in range(2)] == [1, 1]
    assert not cache_of(own).exists()


@pytest.mark.parametrize("broken", ["", "{", "null", "[5]", '[{"token":', "[" * 9000])
def test_a_malformed_file_is_replaced(own: Az, stored: str, broken: str) -> None:
    own.artifact("show", stored)
    cache_of(own).write_text(broken)
    cache_of(own).chmod(0o644)
    assert exchanges(own.artifact("show", stored)) == 1
    assert len(json.loads(cache_of(own).read_text())) == 1
    assert stat.S_IMODE(cache_of(own).stat().st_mode) == 0o600


def test_commands_work_without_a_writable_folder(own: Az, stored: str) -> None:
    shutil.rmtree(cache_of(own).parent, ignore_errors=True)
    cache_of(own).parent.write_text("a file where the folder should be")
    assert exchanges(own.artifact("show", stored)) == 1


def test_no_token_is_shown(own: Az, stored: str) -> None:
    shown = [own("acr", "artifact", "show", stored, "--debug") for _ in range(2)]
    assert [exchanges(result) for result in shown] == [1, 0]
    assert not any(TOKEN.search(result.stdout + result.stderr) for result in shown)
