"""Azure CLI's `cmd`, as far as the extension reads it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

CLOUD = SimpleNamespace(
    name="AzureCloud",
    suffixes=SimpleNamespace(acr_login_server_endpoint=".azurecr.io"),
    endpoints=SimpleNamespace(active_directory="https://login.microsoftonline.com"),
)


def az_command(settings: dict[tuple[str, str], Any] | None = None) -> Any:
    """Return the `cmd` of a command in the public cloud, with the *settings* of `az config` by section and name."""

    def get(section: str, name: str, fallback: Any) -> Any:
        return (settings or {}).get((section, name), fallback)

    config = SimpleNamespace(get=get, getboolean=get, getint=get, config_dir="azure")
    return SimpleNamespace(cli_ctx=SimpleNamespace(config=config, cloud=CLOUD, only_show_errors=True, data={}))
