"""The command table: the function of each command, and the table transformer of its result."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from azure.cli.core import AzCommandsLoader
from azure.cli.core.commands import CliCommandType

_COMMANDS = (
    ("push", "custom", "push", "_format.push_table"),
    ("pull", "custom", "pull", "_format.pull_table"),
    ("show", "custom", "show", "_format.show_table"),
    ("delete", "custom", "delete", "_format.delete_table"),
    ("attach", "cli.commands.referrers", "attach", "_format.push_table"),
    ("list-referrers", "cli.commands.referrers", "list_referrers", "cli.output.referrer_tree.referrers_table"),
    ("list", "cli.commands.list", "list_artifacts", "_format.list_table"),
    ("tag", "cli.commands.tag", "tag", "_format.tag_table"),
    ("untag", "cli.commands.tag", "untag", "_format.untag_table"),
    ("update", "cli.commands.update", "update", "_format.update_table"),
    ("copy", "cli.commands.copy", "copy", "_format.copy_table"),
    ("purge", "cli.commands.purge", "purge", "_format.purge_table"),
    ("backup", "cli.commands.backup", "backup", "_format.layout_table"),
    ("restore", "cli.commands.backup", "restore", "_format.layout_table"),
    ("sign", "cli.commands.sign", "sign", "_format.sign_table"),
    ("verify", "cli.commands.sign", "verify", "_format.verify_table"),
    ("login", "cli.commands.access", "log_in", "_format.login_table"),
    ("logout", "cli.commands.access", "log_out", "_format.logout_table"),
    ("check-access", "cli.commands.access", "check_access", "_format.access_table"),
)
"""Each command with the module and name of its function, and its table transformer."""


def load_command_table(loader: AzCommandsLoader, _args: list[str] | None) -> None:
    """Register the commands of `az acr artifact`."""
    for name, module, function, table in _COMMANDS:
        functions = CliCommandType(operations_tmpl=f"{__package__}.{module}#{{}}")
        with loader.command_group("acr artifact", custom_command_type=functions) as group:
            register = group.custom_show_command if name == "show" else group.custom_command
            register(name, function, table_transformer=_table(table))


def _table(path: str) -> Callable[[Any], Any]:
    """Return the table transformer at *path*. It is imported when a table is asked for, since other commands of
    `az acr` never need it."""
    module, _, name = path.rpartition(".")

    def transform(result: Any) -> Any:
        rows = getattr(import_module(f"{__package__}.{module}"), name)(result)
        return import_module(f"{__package__}._format").harmless(rows)

    return transform
