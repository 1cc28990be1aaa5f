"""What only Azure Resource Manager knows of a registry. Asked last: data-plane roles need no right to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from knack.log import get_logger

from ...auth.credentials import PasswordCredential
from ...errors import SignInError

_logger = get_logger(__name__)


def login_server_of(cmd: Any, name: str) -> str | None:
    """The login server of the registry called *name* in the subscription, if this identity may see it."""
    servers = [str(item.login_server) for item in _registries(cmd) if item.name.lower() == name.lower()]
    return servers[0] if servers else None


def has_registry_at(cmd: Any, server: str) -> bool:
    """Whether a registry of the subscription has this login server, as far as this identity may see."""
    return any(str(item.login_server).lower() == server for item in _registries(cmd))


def admin_credential(cmd: Any, server: str) -> PasswordCredential:
    """The admin user of the registry at *server*. Raises `SignInError` when it may not be read or is disabled."""
    found = next((item for item in _registries(cmd) if str(item.login_server).lower() == server), None)
    if found is None:
        raise SignInError(
            "The admin user cannot be read",
            where=server,
            why="Azure Resource Manager shows no such registry in this subscription",
            hint="Choose its subscription (--subscription), or give --username and --password-stdin.",
        )
    from azure.core.exceptions import AzureError
    from knack.util import CLIError

    try:
        answer = client(cmd).registries.list_credentials(group_of(found), found.name)
    except (AzureError, CLIError) as error:
        raise SignInError(
            "The admin user cannot be read",
            where=server,
            why=str(error).strip().partition("\n")[0],
            hint=f"Enable it: az acr update --name {found.name} --admin-enabled true. Reading it takes a Contributor.",
        ) from error
    return PasswordCredential(str(answer.username), str(answer.passwords[0].value))


def registries_at(cmd: Any, servers: Sequence[str]) -> list[Any | None]:
    """The registry of the subscription at each of *servers*, as far as this identity may see."""
    found = {str(item.login_server).lower(): item for item in _registries(cmd)}
    return [found.get(server) for server in servers]


def group_of(registry: Any) -> str:
    """The resource group of a *registry* that Azure Resource Manager listed."""
    return str(registry.id).split("/")[4]


def _registries(cmd: Any) -> list[Any]:
    from azure.core.exceptions import AzureError
    from knack.util import CLIError

    try:
        return list(client(cmd).registries.list())
    except (AzureError, CLIError) as error:
        _logger.info("Azure Resource Manager did not list the registries: %s", type(error).__name__)
        return []


def client(cmd: Any) -> Any:
    """The client of Azure Resource Manager for registries."""
    from azure.cli.core.commands.client_factory import get_mgmt_service_client
    from azure.cli.core.profiles import ResourceType

    return get_mgmt_service_client(cmd.cli_ctx, ResourceType.MGMT_CONTAINERREGISTRY)
