"""Azure CLI's own login in all its forms (user, service principal, managed identity), and its tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from knack.log import get_logger

from ...auth.cache import CachedToken, Login
from ...auth.chain import NotConfiguredError
from ...auth.credentials import ACR_AUDIENCE, EntraCredential, EntraToken, reason_of
from ...errors import SignInError
from ..context import CommandContext
from . import arm
from .token_store import vault_of

_logger = get_logger(__name__)
NAME = "the Azure CLI's login"
# Entra's code for a federated token past its end:
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ASSERTION_EXPIRED = "AADSTS700024"


def azure_credential(cmd: CommandContext, server: str) -> EntraCredential:
    """Return the login, for *server*. Raises `SignInError` without a login, and when the server is not Azure's."""
    vault = vault_of(cmd)
    try:
        account = _account(cmd)
    except NotConfiguredError:
        if vault:
            vault.clear()
        raise
    require_azure(cmd, server)
    keeper = CachedToken(vault, _login(cmd, account), server, _logger.debug) if vault else None
    return EntraCredential(lambda audience: _token(cmd, audience), audiences(cmd), _named(account), keeper)


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


def _account(cmd: CommandContext) -> dict[str, Any]:
    """Return the account that commands use, by `--subscription` or by default. Makes no request."""
    from azure.cli.core._profile import Profile
    from knack.util import CLIError

    try:
        return dict(Profile(cli_ctx=cmd.cli_ctx).get_subscription(cmd.subscription))
    except CLIError as error:
        raise NotConfiguredError("The Azure CLI gave no token", why=reason_of(error), hint="Run: az login") from error


def _login(cmd: CommandContext, account: dict[str, Any]) -> Login:
    """Return the key of the login in the cache. Every login, logout and `az account clear` rewrites the profile, so its
    time is part of it."""
    user = account.get("user") or {}
    written = (cmd.config_folder / "azureProfile.json").stat().st_mtime_ns
    principal = json.dumps([user, cmd.authority], sort_keys=True)
    return Login(cmd.cloud, str(account.get("tenantId")), principal, str(written))


def _named(account: dict[str, Any]) -> str:
    user = account.get("user") or {}
    return f"{NAME} ({user['name']})" if user.get("name") else NAME


def _token(cmd: CommandContext, audience: str) -> EntraToken:
    """Return a token for *audience*; raises `SignInError` with Azure CLI's reason."""
    from azure.cli.core._profile import Profile

    profile = Profile(cli_ctx=cmd.cli_ctx)
    try:
        (_, token, _), _, tenant = profile.get_raw_token(resource=audience, subscription=cmd.subscription)
    # msal passes any exception through.
    except Exception as error:  # pylint: disable=broad-except
        raise _no_token(error) from error
    return EntraToken(str(token), str(tenant))


def _no_token(error: Exception) -> SignInError:
    advice = " ".join(map(str, getattr(error, "recommendations", None) or []))
    hint = advice if "az login" in advice else f"Run: az login. {advice}".rstrip(". ")
    if _ASSERTION_EXPIRED in str(error):
        hint = (
            "The job's federated token is too old. In AzureCLI@2, set keepAzSessionActive: true, or map "
            "SYSTEM_ACCESSTOKEN: $(System.AccessToken) into the task's env. Elsewhere, log in again."
        )
    return SignInError("The Azure CLI gave no token", why=reason_of(error), hint=hint)
