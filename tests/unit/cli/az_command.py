"""Azure CLI's `cmd`, as far as the extension reads it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

CLOUD = SimpleNamespace(
    name="AzureCloud",
    suffixes=SimpleNamespace(acr_login_server_endpoint=".azurecr.io"),
    endpoints=SimpleNamespace(active_directory="https://login.microsoftonline.com"),
)


class Config:
    """The settings of `az config`, by section and name."""

    config_dir = "azure"

    def __init__(self, settings: dict[tuple[str, str], Any]) -> None:
        self._settings = settings

    def get(self, section: str, name: str, fallback: Any) -> Any:
        return self._settings.get((section, name), fallback)

    getboolean = getint = get


def az_command(settings: dict[tuple[str, str], Any] | None = None, *options: str) -> Any:
    """Return the `cmd` of a command that was typed with *options*, in the public cloud."""
    context = SimpleNamespace(config=Config(settings or {}), cloud=CLOUD, only_show_errors=True)
    context.data = {"safe_params": list(options)}
    return SimpleNamespace(cli_ctx=context)
