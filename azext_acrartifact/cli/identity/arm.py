"""Registries as Azure Resource Manager lists them. It is asked last, since data-plane roles need no right to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from knack.log import get_logger

from ...auth.credentials import PasswordCredential
from ...errors import SignInError
from ...known_secrets import KNOWN
from ..context import CommandContext

if TYPE_CHECKING:
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient
    from azure.mgmt.containerregistry.models import Registry

_logger = get_logger(__name__)


def login_server_of(cmd: CommandContext, name: str) -> str | None:
    """Return the login server of the registry *name* in the subscription, or None if this identity sees no such one."""
    servers = [str(item.login_server) for item in _registries(cmd) if item.name.lower() == name.lower()]
    return servers[0] if servers else None


def admin_credential(cmd: CommandContext, server: str) -> PasswordCredential:
    """Return the admin user of the registry at *server*. Raises `SignInError` when it cannot be read or is disabled."""
    found = registries_at(cmd, [server])[0]
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
        # `--debug` logs every response of Azure Resource Manager as it arrives, before its passwords can be registered.
        found_login = client(cmd).registries.list_credentials(group_of(found), found.name, logging_enable=False)
    except (AzureError, CLIError) as error:
        raise SignInError(
            "The admin user cannot be read",
            where=server,
            why=str(error).strip().partition("\n")[0],
            hint=f"Enable it: az acr update --name {found.name} --admin-enabled true. It takes a Contributor.",
        ) from error
    passwords = [str(password.value) for password in found_login.passwords]
    KNOWN.add(*passwords)
    return PasswordCredential(str(found_login.username), passwords[0])


def registries_at(cmd: CommandContext, servers: Sequence[str]) -> list[Registry | None]:
    """Return the registry at each of *servers*, or None if this identity sees no such one in the subscription."""
    found = {str(item.login_server).lower(): item for item in _registries(cmd)}
    return [found.get(server) for server in servers]


def group_of(registry: Registry) -> str:
    """Return the resource group of *registry*."""
    return str(registry.id).split("/")[4]


def _registries(cmd: CommandContext) -> list[Registry]:
    from azure.core.exceptions import AzureError
    from knack.util import CLIError

    try:
        return list(client(cmd).registries.list())
    except (AzureError, CLIError) as error:
        _logger.info("Azure Resource Manager did not list the registries: %s", type(error).__name__)
        return []


def client(cmd: CommandContext) -> ContainerRegistryManagementClient:
    """Return Azure Resource Manager's client for registries."""
    from azure.cli.core.commands.client_factory import get_mgmt_service_client
    from azure.cli.core.profiles import ResourceType

    return get_mgmt_service_client(cmd.cli_ctx, ResourceType.MGMT_CONTAINERREGISTRY)
