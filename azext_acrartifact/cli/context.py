"""Azure CLI's settings for one command, with types."""

from __future__ import annotations

import configparser
import contextlib
import os
from collections.abc import Iterator, Sequence
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
COMPLETION = ("completion_timeout", "seconds", 60, 1)
"""The setting `acrartifact.completion_timeout` for `CommandContext.number`."""
SETTINGS = frozenset(
    {"auth_mode", "completion_timeout", "concurrency", "part_size", "stall_timeout", "token_cache", "verify"}
)
"""All settings of this extension: `acrartifact.NAME` of `az config`, or `AZURE_ACRARTIFACT_NAME` of the environment."""
_SECTION = "acrartifact"
# Those of knack.config, whose getboolean raises ValueError.
_BOOLEANS = {"1": True, "yes": True, "true": True, "on": True, "0": False, "no": False, "false": False, "off": False}
_CORRECT = "Correct it in the file `config` of the folder ~/.azure; write %% for %."


@contextlib.contextmanager
def _readable(where: str) -> Iterator[None]:
    """Raise `InvalidInputError` for a file that Python's parser refuses: a `%` in any of its values, for instance."""
    try:
        yield
    except configparser.Error as error:
        why = " ".join(error.message.split())
        raise InvalidInputError("The setting cannot be read", where=where, why=why, hint=_CORRECT) from error


def suffix_of(cli_ctx: AzCli, service: str) -> str | None:
    """Return the end of the hosts of the cloud's *service*, such as `.azurecr.io`; None when the cloud has none."""
    try:
        suffix = str(getattr(cli_ctx.cloud.suffixes, service) or "")
    except CloudSuffixNotSetException:
        return None
    return f".{suffix.lstrip('.')}" if suffix else None


def where_set(cli_ctx: AzCli, section: str, name: str) -> str:
    """Return the name of a setting where it is set: in the environment, or in `az config`."""
    variable: str = cli_ctx.config.env_var_name(section, name)
    return variable if variable in os.environ else f"{section}.{name}"


class CommandContext:
    """Typed access to the `cmd` that Azure CLI hands to every command."""

    def __init__(self, cmd: AzCliCommand) -> None:
        self.cli_ctx: AzCli = cmd.cli_ctx
        """Azure CLI itself, which its own functions ask for."""
        self.cap_mbps: float | None = None
        """The most megabits a second that this command may transfer; None for any number."""
        self.shown: dict[str, str] = {}
        """Keys to add to the command's result."""
        self.listed: dict[str, list[ListedRegistry]] = {}
        """The registries that Azure Resource Manager listed for this command, by subscription."""

    def check_settings(self) -> None:
        """Raise `InvalidInputError` for a setting `acrartifact.…`, in the file or the environment, that does not exist:
        a misspelt one would be without effect in silence."""
        with _readable(_SECTION):
            names = [str(item["name"]) for item in self.cli_ctx.config.items(_SECTION)]
        for name in names:
            if name not in SETTINGS:
                from difflib import get_close_matches

                like = get_close_matches(name, SETTINGS, 1) or sorted(SETTINGS)
                raise self._invalid(_SECTION, name, "There is no such setting", f"Set {' or '.join(like)}")
        # A completion itself is silent, so the commands say that its setting is wrong.
        self.number(*COMPLETION)

    def setting(self, section: str, name: str, default: str = "") -> str:
        """Return a setting of `az config`. Raises `InvalidInputError` if the file cannot be understood."""
        assert section != _SECTION or name in SETTINGS, name
        with _readable(f"{section}.{name}"):
            return str(self.cli_ctx.config.get(section, name, fallback=default))

    def is_on(self, section: str, name: str, *, default: bool = False) -> bool:
        """Return whether a setting of `az config` is on. Raises `InvalidInputError` for one that is neither on nor
        off."""
        text = self.setting(section, name, "on" if default else "off")
        found = _BOOLEANS.get(text.lower())
        if found is None:
            raise self._invalid(section, name, "Not a switch", "Set on or off", text)
        return found

    def concurrency(self, typed: int | None) -> int | None:
        """Return the number that was typed, or else the configured one; None to adapt to the network."""
        return typed or self.number("concurrency", "requests", MOST_CONCURRENCY, 0) or None

    def number(self, name: str, unit: str, most: int, usual: int) -> int:
        """Return the setting `acrartifact.`*name*, or *usual* if it is not set. Raises `InvalidInputError` unless it is
        a whole number of *unit* from 1 to *most*."""
        text = self.setting(_SECTION, name, str(usual))
        if text != str(usual) and not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= most):
            raise self._invalid(_SECTION, name, f"Not a number of {unit}", f"Set 1 to {most}", text)
        return int(text)

    def choice(self, name: str, choices: Sequence[str], what: str) -> str:
        """Return the setting `acrartifact.`*name*, by default the first of *choices*. Raises `InvalidInputError`, which
        begins with *what*, unless it is one of them."""
        text = self.setting(_SECTION, name, choices[0])
        if text not in choices:
            raise self._invalid(_SECTION, name, what, f"Set one of {', '.join(choices)}", text)
        return text

    def _invalid(self, section: str, name: str, what: str, advice: str, text: str | None = None) -> InvalidInputError:
        """Return the error for a setting, which says where it comes from and how to return to the default."""
        where = where_set(self.cli_ctx, section, name)
        reset = f"az config unset {where}" if "." in where else f"unset {where}"
        return InvalidInputError(
            what,
            where=where if text is None else f"{where}={text}",
            hint=f"{advice}, or return to the default: {reset}",
        )

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
        return suffix_of(self.cli_ctx, "acr_login_server_endpoint")

    @property
    def subscription(self) -> str | None:
        """The subscription that `--subscription` named."""
        return self.cli_ctx.data.get("subscription_id") or None

    @property
    def _request_id(self) -> str | None:
        """The id that Azure CLI sends with every request of this command."""
        found = (self.cli_ctx.data.get("headers") or {}).get("x-ms-client-request-id")
        return str(found) if found else None

    @property
    def request_headers(self) -> dict[str, str]:
        """The headers of all requests."""
        request_id = {"x-ms-client-request-id": self._request_id} if self._request_id else {}
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
