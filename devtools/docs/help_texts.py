"""Print the help of `az acr artifact` and of each of its commands as JSON.

It is read from Azure CLI's own parser, as `az … --help` reads it, so that the reference cannot differ from the help.
Run it with `AZURE_EXTENSION_DIR` set to a folder in which the extension is installed.
"""

from __future__ import annotations

import json
import sys
from typing import Any

from azure.cli.core import get_default_cli
from azure.cli.core.commands import register_cache_arguments
from azure.cli.core.commands.arm import register_global_subscription_argument, register_ids_argument
from azure.cli.core.commands.events import EVENT_INVOKER_POST_LOAD_ARGUMENTS, EVENT_INVOKER_PRE_LOAD_ARGUMENTS
from azure.cli.core.file_util import get_all_help
from knack.events import EVENT_INVOKER_POST_CMD_TBL_CREATE, EVENT_INVOKER_PRE_CMD_TBL_CREATE

GROUP = "acr artifact"


def help_files() -> list[Any]:
    """Return the help files of the group and of its commands, as Azure CLI loads them for `--help`."""
    cli = get_default_cli()
    for register in (register_global_subscription_argument, register_ids_argument, register_cache_arguments):
        register(cli)
    invoker = cli.invocation_cls(
        cli_ctx=cli, commands_loader_cls=cli.commands_loader_cls, parser_cls=cli.parser_cls, help_cls=cli.help_cls
    )
    cli.invocation = invoker
    loader = invoker.commands_loader
    cli.raise_event(EVENT_INVOKER_PRE_CMD_TBL_CREATE, args=[])
    loader.load_command_table(GROUP.split())
    loader.command_table = {name: found for name, found in loader.command_table.items() if name.startswith(f"{GROUP} ")}
    loader.command_name = ""
    cli.raise_event(EVENT_INVOKER_PRE_LOAD_ARGUMENTS, commands_loader=loader)
    for name in list(loader.command_table):
        invoker.data["command_string"] = name
        loader.load_arguments(name)
    cli.raise_event(EVENT_INVOKER_POST_LOAD_ARGUMENTS, commands_loader=loader)
    cli.raise_event(EVENT_INVOKER_POST_CMD_TBL_CREATE, commands_loader=loader)
    invoker.parser.cli_ctx = cli
    invoker.parser.load_command_table(loader)
    return [found for found in get_all_help(cli, skip=False) if found.command.startswith(GROUP)]


def described(found: Any) -> dict[str, Any]:
    """Return what `--help` shows of one command or group."""
    return {
        "command": found.command,
        "summary": found.short_summary,
        "more": found.long_summary or "",
        "examples": [
            {"name": example.short_summary or example.name, "text": example.command} for example in found.examples
        ],
        "arguments": [_argument(argument) for argument in getattr(found, "parameters", [])],
    }


def _argument(found: Any) -> dict[str, Any]:
    return {
        "names": found.name,
        "group": found.group_name or "",
        "required": bool(found.required),
        "summary": " ".join(part for part in (found.short_summary, found.long_summary) if part),
        "choices": sorted(map(str, found.choices)) if found.choices else [],
        "default": found.default if isinstance(found.default, str | int) else None,
    }


if __name__ == "__main__":
    json.dump([described(found) for found in help_files()], sys.stdout)
