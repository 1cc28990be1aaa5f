"""The choice of the identity: the user that was typed, `--auth-mode`, or the first source that has one."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path

from knack.log import get_logger

from ...auth.chain import ChainCredential, NotConfiguredError, Notice, Source, anonymous_source
from ...auth.credentials import REFRESH_TOKEN_USER, AnonymousCredential, Credential, PasswordCredential
from ...auth.docker_config import DockerConfig
from ...errors import LocalFileError, SignInError, restated
from ..argument_names import AUTH_MODES
from ..arguments import LoginArgument
from ..context import CommandContext
from . import arm
from .login_server import LoginServer

_logger = get_logger(__name__)
_REMOVING = frozenset({"delete", "purge", "untag", "update"})
_AUTO = ("login", "environment", "docker", "anonymous")
"""Never `admin`: that user may do everything, and does not say who acted."""


class _DockerCredential(PasswordCredential):
    """A credential that docker or another tool has stored."""


def credential_for(
    cmd: CommandContext, server: LoginServer, login: LoginArgument, note: Notice, *, to_store: bool = False
) -> Credential:
    """Return the identity for *server*; its sources are opened when the first token is needed.

    It is anonymous only where the user typed the whole login server: of a name, only a sign-in shows whose it is. After
    a sign-in that failed, *note* says so to a person, and the result to a program; also for docker's credential, which
    may be anybody's. One *to_store* for other tools is anonymous only if `--auth-mode` says so.
    """

    def accepted(credential: Credential, failed: Sequence[SignInError]) -> None:
        if not isinstance(credential, AnonymousCredential):
            server.accepted()
            if isinstance(credential, _DockerCredential) and mode_of(cmd, login) == "auto":
                _say_docker(cmd, server.host, credential.name, note)
            return
        cmd.shown["signIn"] = "anonymous"
        if failed:
            note(f"Reads {server.host} without a sign-in, because this failed: {failed[0].message}")

    def refused(error: SignInError) -> SignInError:
        server.refused()
        return _with_advice(error, server) if server.name else error

    return ChainCredential(
        _chosen(cmd, server, login, to_store), lambda text: _logger.info("%s", text), accepted, refused
    )


def _chosen(cmd: CommandContext, server: LoginServer, login: LoginArgument, to_store: bool) -> list[Source]:
    """Return the sources to try, in this order."""
    if login.username is not None:
        typed = PasswordCredential(login.username, login.password or "")
        return [Source(typed.name, lambda: typed)]
    mode = mode_of(cmd, login)
    if mode == "anonymous" and server.name:
        raise SignInError(
            "Anonymous access needs the whole login server",
            where=server.name,
            why="without a sign-in, a registry of that name may be somebody else's",
            hint=f"Give it: --name {server.host}, if that is the registry that you mean.",
        )
    sources = _sources(cmd, server.host, ask_machine=mode == "environment")
    if mode == "auto" and _removes(cmd):
        sources["docker"] = Source(sources["docker"].name, lambda: _of_docker_if_asked(server.host))
    left_out = {"anonymous"} if to_store or server.name else set()
    return [sources[name] for name in (_AUTO if mode == "auto" else (mode,)) if mode != "auto" or name not in left_out]


def _with_advice(error: SignInError, server: LoginServer) -> SignInError:
    """Return *error* with the advice to give the whole login server of a registry that was named without it."""
    advice = f"If {server.host} is not the registry {server.name} that you mean, give its login server: --name SERVER"
    return restated(error, hint=f"{error.hint.rstrip('. ')}. {advice}")


def local_login(cmd: CommandContext, server: str, login: LoginArgument, note: Notice) -> tuple[str, str] | None:
    """Return the user name and password for a registry on this machine, which never gets an Azure identity; None for
    anonymous access. *note* says so if docker stored them."""
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
    if stored is None or stored.username == REFRESH_TOKEN_USER:
        return None
    if mode == "auto":
        if _removes(cmd):
            _of_docker_if_asked(server)
        _say_docker(cmd, server, f"user '{stored.username}'", note)
    return stored.username, stored.password


def mode_of(cmd: CommandContext, login: LoginArgument) -> str:
    """Return how to sign in: `--auth-mode`, or `az config set acrartifact.auth_mode=`, or `auto`."""
    return login.auth_mode or cmd.choice("auth_mode", AUTH_MODES, "Not a way to sign in")


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


def _removes(cmd: CommandContext) -> bool:
    """Return whether the command removes something or changes a lock."""
    return str(cmd.cli_ctx.data.get("command") or "").rpartition(" ")[2] in _REMOVING


def _of_docker(server: str) -> Credential:
    try:
        stored = docker_config().find(server)
    except LocalFileError as error:
        raise SignInError(error.what, where=error.where, why=error.why, hint=error.hint) from error
    if stored is None:
        raise _nothing_stored(server)
    return _DockerCredential(stored.username, stored.password)


def _of_docker_if_asked(server: str) -> Credential:
    """Raise `SignInError`, also if there is a credential: another tool has stored it, and for another purpose."""
    found = _of_docker(server)
    raise SignInError(
        "docker's credential is not used to remove anything or to change locks",
        where=server,
        why=f"you are not signed in, and docker stores {found.name}",
        hint="Run: az login. Or, to use that credential: --auth-mode docker",
    )


def _say_docker(cmd: CommandContext, server: str, name: str, note: Notice) -> None:
    cmd.shown["signIn"] = "docker"
    note(f"Signed in to {server} with docker's credential, as {name}")


def _nothing_stored(server: str) -> NotConfiguredError:
    return NotConfiguredError(
        "No credential is stored for the registry",
        where=server,
        why=f"{docker_config().path} and its helpers have none",
        hint=f"Store one: az acr artifact login --name {server}",
    )
