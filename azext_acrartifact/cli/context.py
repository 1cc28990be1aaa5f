"""Azure CLI's settings for one command, with types."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from azure.cli.core import AzCli
from azure.cli.core.cloud import CloudSuffixNotSetException
from azure.cli.core.commands import AzCliCommand

from .._version import VERSION
from ..errors import InvalidInputError

if TYPE_CHECKING:
    from ..auth.resource_manager import ListedRegistry

MOST_CONCURRENCY = 1000
USUAL_STALL = 30
LONGEST_STALL = 3600


class CommandContext:
    """Typed access to the `cmd` that Azure CLI hands to every command."""

    def __init__(self, cmd: AzCliCommand) -> None:
        self.cli_ctx: AzCli = cmd.cli_ctx
        """Azure CLI itself, which its own functions ask for."""
        self.shown: dict[str, str] = {}
        """Keys to add to the command's result."""
        self.listed: dict[str, list[ListedRegistry]] = {}
        """The registries that Azure Resource Manager listed for this command, by subscription."""

    def setting(self, section: str, name: str, default: str = "") -> str:
        """Return a setting of `az config`."""
        return str(self.cli_ctx.config.get(section, name, fallback=default))

    def is_on(self, section: str, name: str, *, default: bool = False) -> bool:
        """Return whether a setting of `az config` is on."""
        return bool(self.cli_ctx.config.getboolean(section, name, fallback=default))

    def concurrency(self, typed: int | None) -> int | None:
        """Return the number that was typed, or else the configured one; None to adapt to the network."""
        return typed or self.number("concurrency", "requests", MOST_CONCURRENCY, 0) or None

    def number(self, name: str, unit: str, most: int, usual: int) -> int:
        """Return the setting `acrartifact.`*name*, or *usual* if it is not set. Raises `InvalidInputError` unless it is
        a whole number of *unit* from 1 to *most*."""
        text = self.setting("acrartifact", name, str(usual))
        if text != str(usual) and not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most):
            raise InvalidInputError(
                f"Not a number of {unit}",
                where=f"acrartifact.{name}={text}",
                hint=f"Set 1 to {most}, or return to the default: az config unset acrartifact.{name}",
            )
        return int(text)

    @property
    def stall_timeout(self) -> float:
        """`Network.stall_timeout`, which the user sets by `az config set acrartifact.stall_timeout=SECONDS`."""
        return float(self.number("stall_timeout", "seconds", LONGEST_STALL, USUAL_STALL))

    @property
    def config_folder(self) -> Path:
        """Azure CLI's own folder, `~/.azure` unless `AZURE_CONFIG_DIR` names another."""
        return Path(self.cli_ctx.config.config_dir)

    @property
    def uploads_folder(self) -> str:
        """The folder for the sessions of unfinished uploads."""
        return str(self.config_folder / "acrartifact" / "uploads")

    @property
    def cloud(self) -> str:
        """The name of the chosen cloud."""
        return str(self.cli_ctx.cloud.name)

    @property
    def authority(self) -> str:
        """The URL of the cloud's Entra ID."""
        return str(self.cli_ctx.cloud.endpoints.active_directory)

    @property
    def arm_audience(self) -> str:
        """The audience of tokens for the cloud's Azure Resource Manager."""
        return str(self.cli_ctx.cloud.endpoints.active_directory_resource_id)

    @property
    def arm_url(self) -> str:
        """The URL of the cloud's Azure Resource Manager."""
        return str(self.cli_ctx.cloud.endpoints.resource_manager)

    @property
    def registry_suffix(self) -> str | None:
        """The end of the cloud's login servers, such as `.azurecr.io`; None when the cloud has none."""
        try:
            suffix = str(self.cli_ctx.cloud.suffixes.acr_login_server_endpoint or "")
        except CloudSuffixNotSetException:
            return None
        return f".{suffix.lstrip('.')}" if suffix else None

    @property
    def subscription(self) -> str | None:
        """The subscription that `--subscription` named."""
        return self.cli_ctx.data.get("subscription_id") or None

    @property
    def request_id(self) -> str | None:
        """The id that Azure CLI sends with every request of this command."""
        found = (self.cli_ctx.data.get("headers") or {}).get("x-ms-client-request-id")
        return str(found) if found else None

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers of all requests."""
        request_id = {"x-ms-client-request-id": self.request_id} if self.request_id else {}
        return {"X-Meta-Source-Client": "azure/cli/acrartifact", **request_id}

    @property
    def user_agent(self) -> str:
        """Azure CLI's user agent, and ours."""
        from azure.cli.core.util import get_az_user_agent

        return f"{get_az_user_agent()} acrartifact/{VERSION}"

    @property
    def verifies_certificates(self) -> bool:
        """Whether certificates are verified, which `AZURE_CLI_DISABLE_CONNECTION_VERIFICATION` switches off."""
        from azure.cli.core.util import should_disable_connection_verify

        return not should_disable_connection_verify()

    @property
    def only_show_errors(self) -> bool:
        """True for `--only-show-errors`."""
        return bool(self.cli_ctx.only_show_errors)

    @property
    def options(self) -> frozenset[str]:
        """The options that were typed, without their values."""
        return frozenset(self.cli_ctx.data.get("safe_params") or [])
