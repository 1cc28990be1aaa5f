"""Azure CLI's own login, in every form that it has: whose it is, and its tokens."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from knack.log import get_logger

from ...auth.cache import CachedToken, Login
from ...auth.chain import NotConfiguredError
from ...auth.credentials import ACR_AUDIENCE, EntraCredential, EntraToken, reason_of
from ...errors import SignInError
from . import arm as _arm
from .token_store import vault_of

_logger = get_logger(__name__)
NAME = "the Azure CLI's login"
# Entra's code for a federated token past its end:
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ASSERTION_EXPIRED = "AADSTS700024"


def azure_credential(cmd: Any, server: str) -> EntraCredential:
    """The login, for *server*. Raises `SignInError` where nobody is logged in, or the server is not Azure's."""
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


def require_azure(cmd: Any, server: str) -> None:
    """An Entra token goes to registries of the cloud alone: any other host could use the token itself.

    A cloud without a suffix has no other sign of them than Azure Resource Manager's word.
    """
    suffix = cloud_suffix(cmd)
    if server.endswith(suffix) if suffix else _arm.has_registry_at(cmd, server):
        return
    why = (
        f"it is no registry of {cmd.cli_ctx.cloud.name} (*{suffix})"
        if suffix
        else "no registry of yours has that address"
    )
    raise SignInError(
        "The Azure CLI's login is not sent to this host",
        where=server,
        why=why,
        hint="Give --username and --password-stdin, or choose its cloud: az cloud set --name CLOUD",
    )


def cloud_suffix(cmd: Any) -> str | None:
    """What login servers of the cloud end with, such as `.azurecr.io`; None where the cloud has no such suffix."""
    from azure.cli.core.cloud import CloudSuffixNotSetException

    try:
        suffix = str(cmd.cli_ctx.cloud.suffixes.acr_login_server_endpoint or "")
    except CloudSuffixNotSetException:
        return None
    return f".{suffix.lstrip('.')}" if suffix else None


def audiences(cmd: Any) -> Sequence[str]:
    """The audiences to ask tokens for, in turn."""
    from azure.cli.core.util import in_cloud_console

    set_by_user = cmd.cli_ctx.config.get("acr", "audience_resource", fallback=None)
    arm = str(cmd.cli_ctx.cloud.endpoints.active_directory_resource_id)
    if set_by_user:
        own = set_by_user if set_by_user.startswith("https://") else f"https://{set_by_user}.azure.net"
        return [own, arm]
    # Cloud Shell has refused ACR's audience since it exists: https://github.com/Azure/CloudShell/issues/484
    return [arm, ACR_AUDIENCE] if in_cloud_console() else [ACR_AUDIENCE, arm]


def _account(cmd: Any) -> dict[str, Any]:
    """The account that commands use, by `--subscription` or by default. Costs no request."""
    from azure.cli.core._profile import Profile
    from knack.util import CLIError

    try:
        return dict(Profile(cli_ctx=cmd.cli_ctx).get_subscription(_subscription(cmd)))
    except CLIError as error:
        raise NotConfiguredError("The Azure CLI gave no token", why=reason_of(error), hint="Run: az login") from error


def _login(cmd: Any, account: dict[str, Any]) -> Login:
    """What the login is known by. The profile is written anew by every login, logout and `az account clear`."""
    cloud = cmd.cli_ctx.cloud
    user = account.get("user") or {}
    written = (Path(cmd.cli_ctx.config.config_dir) / "azureProfile.json").stat().st_mtime_ns
    principal = json.dumps([user, cloud.endpoints.active_directory], sort_keys=True)
    return Login(str(cloud.name), str(account.get("tenantId")), principal, str(written))


def _subscription(cmd: Any) -> str | None:
    return cmd.cli_ctx.data.get("subscription_id") or None


def _named(account: dict[str, Any]) -> str:
    user = account.get("user") or {}
    return f"{NAME} ({user['name']})" if user.get("name") else NAME


def _token(cmd: Any, audience: str) -> EntraToken:
    """A token for *audience*; raises `SignInError` with what Azure CLI says about it."""
    from azure.cli.core._profile import Profile

    profile = Profile(cli_ctx=cmd.cli_ctx)
    try:
        (_, token, _), _, tenant = profile.get_raw_token(resource=audience, subscription=_subscription(cmd))
    # msal raises whatever it meets.
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
