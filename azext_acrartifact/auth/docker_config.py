"""The file in which docker, oras, helm and podman keep registry credentials.

https://docs.docker.com/reference/cli/docker/login/#credential-stores. An entry's place is, in this order: the
helper that `credHelpers` names for the server, the one that `credsStore` names, the file itself.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import json
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import LocalFileError
from ..filelock import locked
from . import credential_helper
from .credentials import REFRESH_TOKEN_USER

IDENTITY_TOKEN_USER = "<token>"
"""The user name under which a helper keeps a refresh token."""
LONGEST_WAIT = 10.0
"""Seconds for other commands to write the file; each takes some milliseconds."""
_MOST_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True)
class DockerLogin:
    """A user name and password for one registry; a refresh token has the name `REFRESH_TOKEN_USER`."""

    username: str
    password: str = field(repr=False)


class DockerConfig:
    """`config.json`; a file that does not exist is an empty one."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def of(cls, variables: Mapping[str, str], home: Path) -> DockerConfig:
        """The user's: in `DOCKER_CONFIG`, or in `.docker` of *home*."""
        return cls(Path(variables.get("DOCKER_CONFIG") or home / ".docker") / "config.json")

    def place_of(self, server: str) -> str:
        """Where the credential of *server* is kept, for messages."""
        helper = _helper_of(self._read(), server)
        return credential_helper.program(helper) if helper else str(self.path)

    def find(self, server: str) -> DockerLogin | None:
        """The credential for *server*. Raises `LocalFileError` for an unreadable file, `SignInError` for a helper
        that fails."""
        config = self._read()
        if helper := _helper_of(config, server):
            found = credential_helper.get(helper, server)
            if found is None:
                return None
            username, password = found
            return DockerLogin(REFRESH_TOKEN_USER if username == IDENTITY_TOKEN_USER else username, password)
        # The plain key goes first: `store` writes that one, and an old client's entry stays beside it.
        auths = _auths(config)
        keys = sorted((key for key in auths if _host(key) == server), key=lambda key: key != server)
        return next(filter(None, (_entry(auths[key]) for key in keys)), None)

    def store(self, server: str, login: DockerLogin) -> None:
        """Keep *login* for *server*, as `docker login` does. Everything else in the file stays."""
        is_token = login.username == REFRESH_TOKEN_USER
        entry = {}
        # The helper may ask its user something: the file is not held meanwhile.
        if helper := _helper_of(self._read(), server):
            username = IDENTITY_TOKEN_USER if is_token else login.username
            credential_helper.store(helper, server, username, login.password)
        else:
            pair = f"{login.username}:{'' if is_token else login.password}"
            entry["auth"] = base64.b64encode(pair.encode()).decode("ascii")
            if is_token:
                entry["identitytoken"] = login.password
        with self._changing() as config:
            config["auths"] = {**_auths(config), server: entry}

    def erase(self, server: str) -> bool:
        """Forget the credential for *server*; whether there was one."""
        config = self._read()
        was_there = self.find(server) is not None
        if helper := _helper_of(config, server):
            credential_helper.erase(helper, server)
        if any(_host(key) == server for key in _auths(config)):
            with self._changing() as config:
                config["auths"] = {key: entry for key, entry in _auths(config).items() if _host(key) != server}
        return was_there

    def _read(self) -> dict[str, Any]:
        try:
            with open(self.path, "rb") as file:
                config = json.loads(file.read(_MOST_BYTES) or b"{}")
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise LocalFileError(
                "The credential file cannot be read", where=str(self.path), why=error.strerror or ""
            ) from error
        except (ValueError, RecursionError) as error:
            raise _malformed(self.path) from error
        if not isinstance(config, dict):
            raise _malformed(self.path)
        return config

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """What the file holds, to be changed by the block, and written at its end. Other commands of ours wait; docker
        and others take no lock, but find either the old file or the new one."""
        # A link, as dotfile managers make them, keeps pointing to the file.
        target = Path(os.path.realpath(self.path))
        try:
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with locked(target.with_name(f".{target.name}.lock"), LONGEST_WAIT):
                config = self._read()
                yield config
                _replace(target, json.dumps(config, indent="\t") + "\n")
        except OSError as error:
            raise LocalFileError(
                "The credential file cannot be written", where=str(target), why=error.strerror or ""
            ) from error


def _replace(target: Path, text: str) -> None:
    """Write all of *text* or nothing, readable by its owner alone (`mkstemp` makes it so)."""
    descriptor, temporary = tempfile.mkstemp(prefix=".config-", dir=target.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def _auths(config: Mapping[str, Any]) -> Mapping[str, Any]:
    auths = config.get("auths")
    return auths if isinstance(auths, dict) else {}


def _helper_of(config: Mapping[str, Any], server: str) -> str | None:
    helpers = config.get("credHelpers")
    named = helpers.get(server) if isinstance(helpers, dict) else None
    helper = named or config.get("credsStore")
    return str(helper) if helper else None


def _host(key: str) -> str:
    """The server of an entry's key, which old clients wrote as an address: `https://SERVER/v1/`."""
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
        "The credential file is no JSON object", where=str(path), hint="Correct it, or name another by DOCKER_CONFIG."
    )
