"""The choice of the identity: the user that was typed, `--auth-mode`, or the first source that has one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from knack.log import get_logger

from ...auth.chain import ChainCredential, NotConfiguredError, Source, anonymous_source
from ...auth.credentials import REFRESH_TOKEN_USER, Credential, PasswordCredential
from ...auth.docker_config import DockerConfig
from ...errors import InvalidInputError, LocalFileError, SignInError
from ..argument_names import AUTH_MODES
from ..arguments import LoginArgument
from ..context import CommandContext
from . import arm

_logger = get_logger(__name__)
_AUTO = ("login", "environment", "docker", "anonymous")
"""Never `admin`: that user may do everything, and does not say who acted."""


def credential_for(cmd: CommandContext, server: str, login: LoginArgument, *, to_store: bool = False) -> Credential:
    """Return the identity for *server*; its sources are opened when the first token is needed. One *to_store* for other
    tools is never anonymous, unless `--auth-mode` says so."""
    if login.username is not None:
        return PasswordCredential(login.username, login.password or "")
    mode = mode_of(cmd, login)
    sources = _sources(cmd, server, ask_machine=mode == "environment")
    usual = tuple(name for name in _AUTO if not to_store or name != "anonymous")
    names = usual if mode == "auto" else (mode,)
    return ChainCredential([sources[name] for name in names], lambda text: _logger.info("%s", text))


def local_login(cmd: CommandContext, server: str, login: LoginArgument) -> tuple[str, str] | None:
    """Return the user name and password for a registry on this machine, which never gets an Azure identity; None for
    anonymous access."""
    if login.username is not None:
        return login.username, login.password or ""
    mode = mode_of(cmd, login)
    if mode == "anonymous":
        return None
    if mode not in ("auto", "docker"):
        raise SignInError(
            f"--auth-mode {mode} is for registries in Azure", where=server, hint="Give --username and --password-stdin."
        )
    stored = docker_config().find(server)
    if stored is None and mode == "docker":
        raise _nothing_stored(server)
    return (stored.username, stored.password) if stored and stored.username != REFRESH_TOKEN_USER else None


def mode_of(cmd: CommandContext, login: LoginArgument) -> str:
    """Return how to sign in: `--auth-mode`, or `az config set acrartifact.auth_mode=`, or `auto`."""
    mode = login.auth_mode or cmd.setting("acrartifact", "auth_mode", "auto")
    if mode not in AUTH_MODES:
        raise InvalidInputError(
            "Not a way to sign in",
            where=f"acrartifact.auth_mode={mode}",
            hint=f"Set one of {', '.join(AUTH_MODES)}: az config set acrartifact.auth_mode=auto",
        )
    return mode


def docker_config() -> DockerConfig:
    """Return the user's docker configuration."""
    return DockerConfig.of(os.environ, Path(os.path.expanduser("~")))


def _sources(cmd: CommandContext, server: str, *, ask_machine: bool) -> dict[str, Source]:
    from .azure_login import NAME, azure_credential

    opened: dict[str, tuple[str, Callable[[], Credential]]] = {
        "login": (NAME, lambda: azure_credential(cmd, server)),
        "environment": ("the environment", lambda: _of_environment(cmd, server, ask_machine=ask_machine)),
        "docker": ("docker's credentials", lambda: _of_docker(server)),
        "admin": ("the admin user", lambda: arm.admin_credential(cmd, server)),
    }
    sources = {mode: Source(name, open_it) for mode, (name, open_it) in opened.items()}
    return {**sources, "anonymous": anonymous_source()}


def _of_environment(cmd: CommandContext, server: str, *, ask_machine: bool) -> Credential:
    from azure.cli.core.util import should_disable_connection_verify

    from ...auth.environment import environment_credential
    from .azure_login import audiences, require_azure

    options: dict[str, str | bool] = {"authority": cmd.authority}
    if should_disable_connection_verify():
        options["connection_verify"] = False
    credential = environment_credential(os.environ, audiences(cmd), options, ask_machine=ask_machine)
    require_azure(cmd, server)
    return credential


def _of_docker(server: str) -> Credential:
    try:
        stored = docker_config().find(server)
    except LocalFileError as error:
        raise SignInError(error.what, where=error.where, why=error.why, hint=error.hint) from error
    if stored is None:
        raise _nothing_stored(server)
    return PasswordCredential(stored.username, stored.password)


def _nothing_stored(server: str) -> NotConfiguredError:
    return NotConfiguredError(
        "No credential is stored for the registry",
        where=server,
        why=f"{docker_config().path} and its helpers have none",
        hint=f"Store one: az acr artifact login --name {server}",
    )
