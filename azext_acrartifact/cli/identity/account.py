"""The account that the Azure CLI is signed in with: its subscription, its Entra tokens, its key in the cache."""

from __future__ import annotations

import json
from typing import Any

from ...auth.cache import Login
from ...auth.chain import NotConfiguredError
from ...auth.credentials import EntraToken, reason_of
from ...errors import InvalidInputError, SignInError
from ..context import CommandContext

# Entra's code for a federated token past its end:
# https://learn.microsoft.com/entra/identity-platform/reference-error-codes
_ASSERTION_EXPIRED = "AADSTS700024"


def account_of(cmd: CommandContext) -> dict[str, Any]:
    """Return the account that commands use, by `--subscription` or by default. Makes no request. Raises
    `NotConfiguredError` without a login, and `InvalidInputError` for a subscription that is not in it."""
    from azure.cli.core._profile import Profile
    from knack.util import CLIError

    profile = Profile(cli_ctx=cmd.cli_ctx)
    try:
        return dict(profile.get_subscription(cmd.subscription))
    except CLIError as error:
        if cmd.subscription and profile.load_cached_subscriptions():
            raise InvalidInputError(
                f"The subscription {cmd.subscription} is not in this login",
                hint="To list them: az account list -o table",
            ) from error
        raise NotConfiguredError("You are not signed in", why=reason_of(error), hint="Run: az login") from error


def subscription_of(account: dict[str, Any]) -> str | None:
    """Return the id of the account's subscription; None after `az login --allow-no-subscriptions`, which stores the
    tenant's id instead."""
    found = str(account.get("id") or "")
    return found if found and found != str(account.get("tenantId")) else None


def login_of(cmd: CommandContext, account: dict[str, Any]) -> Login:
    """Return the key of the login in the cache. Every login, logout and `az account clear` rewrites the profile, so its
    time is part of it."""
    user = account.get("user") or {}
    written = (cmd.config_folder / "azureProfile.json").stat().st_mtime_ns
    principal = json.dumps([user, cmd.authority], sort_keys=True)
    return Login(cmd.cloud, str(account.get("tenantId")), principal, str(written))


def entra_token(cmd: CommandContext, audience: str) -> EntraToken:
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
