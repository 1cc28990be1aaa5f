"""Registries as Azure Resource Manager lists them. Identities with data-plane roles alone have no right to the list."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from knack.log import get_logger

from ...auth.chain import NotConfiguredError
from ...auth.credentials import PasswordCredential
from ...auth.resource_manager import ListedRegistry, ResourceManager
from ...auth.token_wait import NoTokenError, token_in_time
from ...errors import (
    ArtifactError,
    CancelledError,
    ConnectionFailedError,
    InvalidReferenceError,
    ProtocolError,
    RegistryError,
    RejectedError,
    SignInError,
)
from ...oci.reference import check_server
from ...text import printable
from ..context import CommandContext
from .account import account_of, entra_token, subscription_of

if TYPE_CHECKING:
    from azure.mgmt.containerregistry import ContainerRegistryManagementClient

_logger = get_logger(__name__)


def login_server_of(cmd: CommandContext, name: str, subscription: str) -> str | None:
    """Return the login server of the registry *name*, or None if this identity sees no such one in *subscription*.

    Raises `InvalidReferenceError` if several have that name, which is possible in different resource groups, and
    `ProtocolError` if the server is none of the cloud's.
    """
    listed = _registries(cmd, subscription)
    servers = {checked_server(cmd, name, item.login_server) for item in listed if item.name.lower() == name.lower()}
    if len(servers) > 1:
        raise InvalidReferenceError(
            "Several registries have this name",
            where=name,
            why=" and ".join(sorted(servers)[:3]),
            hint="Give the login server of one: --name SERVER",
        )
    return next(iter(servers), None)


def checked_server(cmd: CommandContext, name: str, server: str) -> str:
    """Return *server* if it can be the login server of the registry *name*: a host of the cloud whose first label is
    the name, or the name and a hash. Raises `ProtocolError`."""
    first = server.partition(".")[0]
    try:
        is_host = check_server(server) == server and ":" not in server
    except InvalidReferenceError:
        is_host = False
    suffix = cmd.registry_suffix or "."
    if is_host and server.endswith(suffix) and (first == name.lower() or first.startswith(f"{name.lower()}-")):
        return server
    raise ProtocolError(
        "Azure Resource Manager gave an unexpected login server",
        where=name,
        why=f"'{printable(server, 100)}' is no address of this registry",
        hint=f"Give the login server yourself: --name SERVER{suffix}",
    )


def admin_credential(cmd: CommandContext, server: str) -> PasswordCredential:
    """Return the admin user of the registry at *server*. Raises `SignInError` when it cannot be read or is disabled."""
    subscription = subscription_of(account_of(cmd))
    with _resource_manager(cmd) as manager:
        try:
            listed = _listed(cmd, manager, subscription) if subscription else []
        except (RegistryError, ProtocolError, ConnectionFailedError) as error:
            raise _unreadable(server, error.message, error.hint) from error
        found = next((registry for registry in listed if registry.login_server == server), None)
        if found is None:
            why = "Azure Resource Manager shows no such registry in this subscription"
            hint = "Choose its subscription (--subscription), or give --username and --password-stdin."
            raise _unreadable(server, why, hint)
        try:
            return manager.admin_user(found)
        except RejectedError as error:
            hint = f"Enable it: az acr update --name {found.name} --admin-enabled true. It takes a Contributor."
            raise _unreadable(server, error.why, hint) from error
        except (RegistryError, ProtocolError, ConnectionFailedError) as error:
            raise _unreadable(server, error.message, error.hint) from error


def _unreadable(server: str, why: str, hint: str) -> SignInError:
    return SignInError("The admin user cannot be read", where=server, why=why, hint=hint)


def listed_registries(cmd: CommandContext) -> list[ListedRegistry]:
    """Return the registries that this identity sees in the subscription. Raises `NotConfiguredError` without a
    login."""
    return _registries(cmd, subscription_of(account_of(cmd)))


def registries_at(cmd: CommandContext, servers: Sequence[str]) -> list[ListedRegistry | None]:
    """Return the registry at each of *servers*, or None if this identity sees no such one in the subscription."""
    try:
        subscription = subscription_of(account_of(cmd))
    except NotConfiguredError:
        subscription = None
    found = {item.login_server: item for item in _registries(cmd, subscription)}
    return [found.get(server) for server in servers]


def _registries(cmd: CommandContext, subscription: str | None) -> list[ListedRegistry]:
    """List the registries of *subscription*; none if Azure Resource Manager does not. Raises `NoTokenError`."""
    if subscription is None or subscription in cmd.listed:
        return cmd.listed.get(subscription or "", [])
    try:
        with _resource_manager(cmd) as manager:
            return _listed(cmd, manager, subscription)
    except (CancelledError, NoTokenError):
        raise
    except ArtifactError as error:
        _logger.info("Azure Resource Manager did not list the registries: %s", error.message)
        cmd.listed[subscription] = []
        return []


def _listed(cmd: CommandContext, manager: ResourceManager, subscription: str) -> list[ListedRegistry]:
    """List the registries of *subscription*, once for a command."""
    if not cmd.listed.get(subscription):
        cmd.listed[subscription] = manager.registries(subscription)
    return cmd.listed[subscription]


@contextlib.contextmanager
def _resource_manager(cmd: CommandContext) -> Iterator[ResourceManager]:
    """Yield Azure Resource Manager, with a token for it."""
    manager = ResourceManager.connected(
        cmd.arm_url,
        token_in_time(lambda: entra_token(cmd, cmd.arm_audience), cmd.stall_timeout),
        user_agent=cmd.user_agent,
        verify=cmd.verifies_certificates,
        headers=cmd.request_headers,
        stall_timeout=cmd.stall_timeout,
    )
    with contextlib.closing(manager):
        yield manager


def client(cmd: CommandContext) -> ContainerRegistryManagementClient:
    """Return Azure Resource Manager's client for registries."""
    from azure.cli.core.commands.client_factory import get_mgmt_service_client
    from azure.cli.core.profiles import ResourceType

    return get_mgmt_service_client(cmd.cli_ctx, ResourceType.MGMT_CONTAINERREGISTRY)
