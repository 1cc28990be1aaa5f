"""The file in which docker, oras, helm and podman store registry credentials.

https://docs.docker.com/reference/cli/docker/login/#credential-stores. A server's credential is in the helper that
`credHelpers` names for it, or else in the helper that `credsStore` names, or else in the file itself.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import LocalFileError
from ..filelock import locked
from ..known_secrets import KNOWN
from .credential_helper import CredentialHelper
from .credentials import REFRESH_TOKEN_USER

IDENTITY_TOKEN_USER = "<token>"
"""The user name with which a helper stores a refresh token."""
LOCK_TIMEOUT = 10.0
"""Seconds to wait while other commands write the file; each takes some milliseconds."""
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class DockerLogin:
    """A user name and password for one registry. For a refresh token the name is `REFRESH_TOKEN_USER`."""

    username: str
    password: str = field(repr=False)

    def __post_init__(self) -> None:
        KNOWN.add(self.password)


class DockerConfig:
    """`config.json`; a missing file counts as an empty one. *lock* and *replace* are the file system's operations."""

    def __init__(
        self,
        path: Path,
        *,
        lock: Callable[[Path, float], AbstractContextManager[bool]] = locked,
        lock_timeout: float = LOCK_TIMEOUT,
        replace: Callable[[str, Path], None] = os.replace,
    ) -> None:
        self.path = path
        self._lock, self._lock_timeout, self._rename = lock, lock_timeout, replace

    @classmethod
    def of(cls, variables: Mapping[str, str], home: Path) -> DockerConfig:
        """Return the user's: in the folder `DOCKER_CONFIG`, or in `.docker` of *home*."""
        return cls(Path(variables.get("DOCKER_CONFIG") or home / ".docker") / "config.json")

    def location_of(self, server: str) -> str:
        """Return the helper or file that stores the credential of *server*, for messages."""
        helper = _helper_of(self._read(), server)
        return helper.program if helper else str(self.path)

    def find(self, server: str) -> DockerLogin | None:
        """Return the credential for *server*. Raises `LocalFileError` if the file cannot be read, `SignInError` if a
        helper fails."""
        config = self._read()
        if helper := _helper_of(config, server):
            found = helper.get(server)
            if found is None:
                return None
            username, password = found
            return DockerLogin(REFRESH_TOKEN_USER if username == IDENTITY_TOKEN_USER else username, password)
        # The plain key comes first: `store` writes that one, and leaves an old client's entry beside it.
        auths = _auths(config)
        keys = sorted((key for key in auths if _host(key) == server), key=lambda key: key != server)
        return next(filter(None, (_entry(auths[key]) for key in keys)), None)

    def store(self, server: str, login: DockerLogin) -> None:
        """Store *login* for *server*, as `docker login` does. Everything else in the file stays."""
        is_token = login.username == REFRESH_TOKEN_USER
        entry = {}
        # The helper may wait for its user, so the file is not locked meanwhile.
        if helper := _helper_of(self._read(), server):
            username = IDENTITY_TOKEN_USER if is_token else login.username
            helper.store(server, username, login.password)
        else:
            pair = f"{login.username}:{'' if is_token else login.password}"
            entry["auth"] = base64.b64encode(pair.encode()).decode("ascii")
            if is_token:
                entry["identitytoken"] = login.password
        with self._changing() as config:
            config["auths"] = {**_auths(config), server: entry}

    def erase(self, server: str) -> bool:
        """Remove the credential for *server*, and return whether there was one."""
        config = self._read()
        existed = self.find(server) is not None
        if helper := _helper_of(config, server):
            helper.erase(server)
        if any(_host(key) == server for key in _auths(config)):
            with self._changing() as config:
                config["auths"] = {key: entry for key, entry in _auths(config).items() if _host(key) != server}
        return existed

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.path, "rb") as file:
                config = json.loads(file.read(_MOST_BYTES) or b"{}")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LocalFileError(
                "Could not read the credential file", where=str(self.path), why=error.strerror or ""
            ) from error
        except (ValueError, RecursionError) as error:
            raise _malformed(self.path) from error
        if not isinstance(config, dict):
            raise _malformed(self.path)
        return config

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Yield the file's content for the block to change, then write it. Other commands of this extension wait;
        docker and others take no lock, but they see either the old file or the new one."""
        # Dotfile managers make the file a link, which must stay one.
        target = Path(os.path.realpath(self.path))
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with self._lock(target.with_name(f".{target.name}.lock"), self._lock_timeout):
                config = self._read()
                yield config
                self._replace(target, json.dumps(config, indent="\t") + "\n")
        except OSError as error:
            raise LocalFileError(
                "Could not write the credential file",
                where=str(target),
                why=error.strerror or "",
                hint="Check its folder, or set DOCKER_CONFIG to another one, also for the tools that read it.",
            ) from error

    def _replace(self, target: Path, text: str) -> None:
        """Write all of *text* or nothing. Only the owner can read it (`mkstemp` does that)."""
        descriptor, temporary = tempfile.mkstemp(prefix=".config-", dir=target.parent)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            self._rename(temporary, target)
        except BaseException:
            with contextlib.suppress(OSError):
                os.unlink(temporary)
            raise


def _auths(config: Mapping[str, Any]) -> Mapping[str, Any]:
    auths = config.get("auths")
    return auths if isinstance(auths, dict) else {}


def _helper_of(config: Mapping[str, Any], server: str) -> CredentialHelper | None:
    helpers = config.get("credHelpers")
    own = helpers.get(server) if isinstance(helpers, dict) else None
    name = own or config.get("credsStore")
    return CredentialHelper(str(name)) if name else None


def _host(key: str) -> str:
    """Return the server in an entry's key. Old clients wrote a URL: `https://SERVER/v1/`."""
    return key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/")[0]


def _entry(entry: Any) -> DockerLogin | None:
    if not isinstance(entry, dict):
        return None
    token = entry.get("identitytoken")
    if isinstance(token, str) and token:
        return DockerLogin(REFRESH_TOKEN_USER, token)
    try:
        username, colon, password = base64.b64decode(str(entry.get("auth", ""))).decode().partition(":")
    except (binascii.Error, ValueError):
        return None
    return DockerLogin(username, password.rstrip("\0")) if colon else None


def _malformed(path: Path) -> LocalFileError:
    return LocalFileError(
        "The credential file is not a JSON object", where=str(path), hint="Correct it, or set DOCKER_CONFIG to another."
    )
