"""Azure CLI's settings for one command, with types."""

from __future__ import annotations

from pathlib import Path

from azure.cli.core import AzCli
from azure.cli.core.cloud import CloudSuffixNotSetException
from azure.cli.core.commands import AzCliCommand

from ..errors import InvalidInputError

MOST_CONCURRENCY = 1000


class CommandContext:
    """Typed access to the `cmd` that Azure CLI hands to every command."""

    def __init__(self, cmd: AzCliCommand) -> None:
        self.cli_ctx: AzCli = cmd.cli_ctx
        """Azure CLI itself, which its own functions ask for."""

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
    def only_show_errors(self) -> bool:
        """True for `--only-show-errors`."""
        return bool(self.cli_ctx.only_show_errors)

    @property
    def options(self) -> frozenset[str]:
        """The options that were typed, without their values."""
        return frozenset(self.cli_ctx.data.get("safe_params") or [])
