"""Azure CLI's own login in all its forms (user, service principal, managed identity), and its tokens."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from knack.log import get_logger

from ...auth.cache import CachedToken
from ...auth.chain import NotConfiguredError
from ...auth.credentials import ACR_AUDIENCE, EntraCredential
from ...errors import SignInError
from ..context import CommandContext
from . import arm
from .account import account_of, entra_token, login_of
from .token_store import vault_of

_logger = get_logger(__name__)
NAME = "the Azure CLI's login"


def azure_credential(cmd: CommandContext, server: str) -> EntraCredential:
    """Return the login, for *server*. Raises `SignInError` without a login, and when the server is not Azure's."""
    vault = vault_of(cmd)
    try:
        account = account_of(cmd)
    except NotConfiguredError:
        if vault:
            vault.clear()
        raise
    require_azure(cmd, server)
    keeper = CachedToken(vault, login_of(cmd, account), server, _logger.debug) if vault else None
    return EntraCredential(lambda audience: entra_token(cmd, audience), audiences(cmd), _named(account), keeper)


def require_azure(cmd: CommandContext, server: str) -> None:
    """Raise `SignInError` unless *server* is a registry of the cloud: any other host could use the Entra token itself.

    In a cloud without a suffix, only Azure Resource Manager knows the registries.
    """
    suffix = cmd.registry_suffix
    if server.endswith(suffix) if suffix else arm.registries_at(cmd, [server])[0]:
        return
    why = f"it is no registry of {cmd.cloud} (*{suffix})" if suffix else "no registry of yours has that address"
    raise SignInError(
        "The Azure CLI's login is not sent to this host",
        where=server,
        why=why,
        hint="Give --username and --password-stdin, or choose its cloud: az cloud set --name CLOUD",
    )


def audiences(cmd: CommandContext) -> Sequence[str]:
    """Return the audiences to ask tokens for, in this order."""
    from azure.cli.core.util import in_cloud_console

    set_by_user = cmd.setting("acr", "audience_resource")
    if set_by_user:
        own = set_by_user if set_by_user.startswith("https://") else f"https://{set_by_user}.azure.net"
        return [own, cmd.arm_audience]
    # Cloud Shell refuses ACR's audience: https://github.com/Azure/CloudShell/issues/484
    return [cmd.arm_audience, ACR_AUDIENCE] if in_cloud_console() else [ACR_AUDIENCE, cmd.arm_audience]


def _named(account: dict[str, Any]) -> str:
    user = account.get("user") or {}
    return f"{NAME} ({user['name']})" if user.get("name") else NAME
