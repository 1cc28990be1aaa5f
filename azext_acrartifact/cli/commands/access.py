"""`login`, `logout` and `check-access`: commands about the sign-in itself."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..._exception_handler import reports
from ..arguments import LoginArgument, RegistryArgument


@reports
def log_in(cmd: Any, artifact: RegistryArgument, login: LoginArgument) -> dict[str, Any]:
    """Keep a credential where oras, helm, podman and docker look for one."""
    from ... import _client_factory as factory
    from ...auth.docker_config import DockerLogin
    from ..identity.auth_mode import docker_config
    from ..session import signed_in

    found = factory.sign_in(cmd, artifact, signed_in(login))
    config = docker_config()
    config.store(found.server, DockerLogin(found.username, found.password))
    return {
        "loginServer": found.server,
        "identity": found.identity,
        "username": found.username,
        "keptIn": config.place_of(found.server),
        "expiresOn": _expiry(found.password),
    }


@reports
def log_out(cmd: Any, artifact: RegistryArgument) -> dict[str, Any]:
    """Remove the credential that `login` kept."""
    from ... import _client_factory as factory
    from ..identity.auth_mode import docker_config

    server = factory.server_of(cmd, artifact)
    config = docker_config()
    place = config.place_of(server)
    return {"loginServer": server, "removed": config.erase(server), "keptIn": place}


@reports
def check_access(
    cmd: Any,
    artifact: RegistryArgument,
    login: LoginArgument,
    repositories: list[str] | None = None,
    actions: list[str] | None = None,
) -> dict[str, Any]:
    """Which actions the identity holds on repositories."""
    from ... import _client_factory as factory
    from ...operations.check_access import ACTIONS
    from ...operations.check_access import check_access as run
    from ..session import signed_in

    names = [factory.repository_of(name) for name in repositories or []]
    wanted = actions or ACTIONS
    server, identity, found = factory.with_endpoint(
        cmd, artifact, signed_in(login), lambda endpoint, credential: run(endpoint, credential, names, wanted)
    )
    access = [
        {"repository": one.repository, "action": one.action, "allowed": one.allowed, "role": one.role} for one in found
    ]
    return {"loginServer": server, "identity": identity, "access": access}


def _expiry(password: str) -> str | None:
    """When a refresh token ends; None for a password, which does not say."""
    from ...auth.claims import claims_of

    expires = claims_of(password).get("exp")
    if not isinstance(expires, (int, float)):
        return None
    return datetime.fromtimestamp(expires, timezone.utc).isoformat(timespec="seconds")
