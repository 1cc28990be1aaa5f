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

    given = settings or {}

    def get(section: str, name: str, fallback: Any) -> Any:
        return given.get((section, name), fallback)

    def items(section: str) -> list[dict[str, str]]:
        return [{"name": name} for one, name in given if one == section]

    def variable(section: str, name: str) -> str:
        return f"AZURE_{section}_{name}".upper()

    config = SimpleNamespace(get=get, items=items, env_var_name=variable, config_dir="azure")
    return SimpleNamespace(cli_ctx=SimpleNamespace(config=config, cloud=CLOUD, only_show_errors=True, data={}))
