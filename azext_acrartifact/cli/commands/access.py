"""The commands `login`, `logout` and `check-access`, which are about the sign-in itself."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..._exception_handler import command
from ..arguments import LoginArgument, RegistryArgument
from ..context import CommandContext


@command
def log_in(cmd: CommandContext, artifact: RegistryArgument, login: LoginArgument) -> dict[str, Any]:
    """Store a credential where oras, helm, podman and docker look for one."""
    from ..._client_factory import sign_in
    from ...auth.docker_config import DockerLogin
    from ..identity.auth_mode import docker_config
    from ..naming import name_registry
    from ..session import with_password

    found = sign_in(cmd, name_registry(cmd, artifact), with_password(login))
    config = docker_config()
    config.store(found.server, DockerLogin(found.username, found.password))
    return {
        "loginServer": found.server,
        "identity": found.identity,
        "username": found.username,
        "keptIn": config.location_of(found.server),
        "expiresOn": _expiry(found.password),
    }


@command
def log_out(cmd: CommandContext, artifact: RegistryArgument) -> dict[str, Any]:
    """Remove the credential that `login` stored."""
    from ..._client_factory import find_server, http_client
    from ...transfer.progress import Progress
    from ..identity.auth_mode import docker_config
    from ..naming import name_registry

    server = find_server(cmd, name_registry(cmd, artifact), http_client(cmd, Progress())).host
    config = docker_config()
    location = config.location_of(server)
    return {"loginServer": server, "removed": config.erase(server), "keptIn": location}


@command
def check_access(
    cmd: CommandContext,
    artifact: RegistryArgument,
    login: LoginArgument,
    repositories: list[str] | None = None,
    actions: list[str] | None = None,
) -> dict[str, Any]:
    """Show the actions that the identity may perform on repositories; fail if one of *actions* is denied."""
    from ..._client_factory import open_token_endpoint
    from ..._format import access_table
    from ...errors import InvalidInputError, PermissionDeniedError
    from ...operations.check_access import ACTIONS, require_all
    from ...operations.check_access import check_access as run
    from ..naming import check_repository, name_registry
    from ..output.failed_result import print_result
    from ..session import with_password

    names = [check_repository(name) for name in repositories or []]
    if not names:
        raise InvalidInputError("No repository given", hint="Give --repository REPOSITORY. It need not exist.")
    endpoint, credential = open_token_endpoint(cmd, name_registry(cmd, artifact), with_password(login))
    found = run(endpoint, credential, names, actions or ACTIONS)
    access = [
        {"repository": one.repository, "action": one.action, "allowed": one.allowed, "role": one.role} for one in found
    ]
    shown = {"loginServer": endpoint.server, "identity": credential.name, "access": access}
    try:
        require_all(found if actions else [], endpoint, credential)
    except PermissionDeniedError:
        print_result(cmd, shown, access_table)
        raise
    return shown


def _expiry(password: str) -> str | None:
    """Return the end of a refresh token's validity; None for a password, which does not say."""
    from ...auth.claims import claims_of

    expires = claims_of(password).get("exp")
    if not isinstance(expires, (int, float)):
        return None
    return datetime.fromtimestamp(expires, timezone.utc).isoformat(timespec="seconds")
