"""Files with credentials that another program may have written: docker's config.json, the token cache, a token."""

from __future__ import annotations

import contextlib
import json
import math
import os
import tempfile
from pathlib import Path

from azext_acrartifact.auth.cache import CachedToken, Login
from azext_acrartifact.auth.claims import claims_of, granted_actions, lifetime, renewal_delay
from azext_acrartifact.auth.credentials import RefreshToken
from azext_acrartifact.auth.docker_config import DockerConfig, DockerLogin
from azext_acrartifact.auth.endpoint import TokenEndpoint
from azext_acrartifact.errors import ArtifactError, LocalFileError, SignInError
from tests.fuzz.canned import SERVER, URL, Canned, client
from tests.fuzz.decoded import decoded
from tests.fuzz.shown import is_harmless
from tests.support.system import has_mode

NEW = DockerLogin("somebody", "secret")
LOGIN = Login("AzureCloud", "t", "p", "s")
NOWHERE = "/nonexistent"


def check(data: bytes) -> None:
    """Let the first byte choose how the rest is read."""
    readers = (_docker, _docker, _cache, _token)
    readers[data[0] % len(readers) if data else 0](data[1:])


def _docker(data: bytes) -> None:
    before, os.environ["PATH"] = os.environ.get("PATH", ""), NOWHERE
    try:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "config.json"
            path.write_bytes(data)
            _found(DockerConfig(path))
            if _stored(DockerConfig(path)):
                _others_stay(path, data)
            else:
                assert path.read_bytes() == data, "not stored, but the file changed"
            assert set(os.listdir(folder)) - {".config.json.lock"} == {"config.json"}
    finally:
        os.environ["PATH"] = before


def _found(config: DockerConfig) -> None:
    """Require that a credential, if there is one, can be sent."""
    try:
        config.location_of(SERVER)
        login = config.find(SERVER)
    except (LocalFileError, SignInError) as error:
        assert is_harmless(error.message)
        return
    if login is not None:
        with contextlib.suppress(ArtifactError):
            TokenEndpoint(SERVER, URL, client(Canned(b"401"))).with_password(login.username, login.password, [])
        assert login.password not in repr(login) or login.password in repr(DockerLogin(login.username, ""))


def _stored(config: DockerConfig) -> bool:
    try:
        config.store(SERVER, NEW)
    except (LocalFileError, SignInError):
        return False
    return True


def _others_stay(path: Path, data: bytes) -> None:
    """Require that only this server's entry differs from before."""
    before, after = json.loads(data or b"{}"), json.loads(path.read_bytes())
    assert has_mode(path, 0o600)
    assert {k: v for k, v in after.items() if k != "auths"} == {k: v for k, v in before.items() if k != "auths"}
    old = before.get("auths") if isinstance(before.get("auths"), dict) else {}
    assert {k: v for k, v in after["auths"].items() if k != SERVER} == {k: v for k, v in old.items() if k != SERVER}
    assert DockerConfig(path).find(SERVER) is not None
    assert DockerConfig(path).erase(SERVER)
    assert DockerConfig(path).find(SERVER) is None


class _Vault:
    """A text in memory."""

    def __init__(self, text: str) -> None:
        self.text = text

    def lock(self) -> contextlib.AbstractContextManager[None]:
        """Do nothing: there is no other process."""
        return contextlib.nullcontext()

    def read(self) -> str:
        """Return the text."""
        return self.text

    def write(self, text: str) -> None:
        """Replace the text."""
        self.text = text


def _cache(data: bytes) -> None:
    """Require that a stored token is found again, and a removed one is not, whatever was there before."""
    vault = _Vault(decoded(data))
    said: list[str] = []
    cached = CachedToken(vault, LOGIN, SERVER, said.append)
    found = cached.find()
    assert found is None or isinstance(found.value, str)
    token = RefreshToken("value", math.inf, math.inf)
    before = vault.text
    cached.keep(token)
    if vault.text != before:
        assert cached.find() == token
        cached.drop(token)
        assert cached.find() is None


def _token(data: bytes) -> None:
    """Read a token's claims, which decide when it is renewed."""
    claims = claims_of(data.decode("latin-1"))
    with contextlib.suppress(ArtifactError):
        assert all(isinstance(action, str) for action in granted_actions(claims, "a"))
    delay = renewal_delay(lifetime(claims, 1e9))
    assert delay >= 0, delay
