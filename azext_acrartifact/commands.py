"""The command table: the function of each command, and the table transformer of its result."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from azure.cli.core import AzCommandsLoader
    from azure.cli.core.commands import CliCommandType


def load_command_table(loader: AzCommandsLoader, _args: list[str] | None) -> None:
    """Register the commands of `az acr artifact`."""
    with loader.command_group("acr artifact") as group:
        group.custom_command("push", "push", table_transformer=_table("push_table"))
        group.custom_command("pull", "pull", table_transformer=_table("pull_table"))
        group.custom_show_command("show", "show", table_transformer=_table("show_table"))
        group.custom_command("delete", "delete")
    with loader.command_group("acr artifact", custom_command_type=_functions_of("list")) as group:
        group.custom_command("list", "list_artifacts", table_transformer=_table("list_table"))
    with loader.command_group("acr artifact", custom_command_type=_functions_of("tag")) as group:
        group.custom_command("tag", "tag", table_transformer=_table("tag_table"))
        group.custom_command("untag", "untag")
    with loader.command_group("acr artifact", custom_command_type=_functions_of("update")) as group:
        group.custom_command("update", "update", table_transformer=_table("update_table"))
    with loader.command_group("acr artifact", custom_command_type=_functions_of("purge")) as group:
        group.custom_command("purge", "purge", table_transformer=_table("purge_table"))
    with loader.command_group("acr artifact", custom_command_type=_functions_of("referrers")) as group:
        group.custom_command("attach", "attach", table_transformer=_table("push_table"))
        tree = _table("referrers_table", "cli.output.referrer_tree")
        group.custom_command("list-referrers", "list_referrers", table_transformer=tree)
    with loader.command_group("acr artifact", custom_command_type=_functions_of("backup")) as group:
        group.custom_command("backup", "backup", table_transformer=_table("layout_table"))
        group.custom_command("restore", "restore", table_transformer=_table("layout_table"))
    with loader.command_group("acr artifact", custom_command_type=_functions_of("copy")) as group:
        group.custom_command("copy", "copy", table_transformer=_table("copy_table"))
    with loader.command_group("acr artifact", custom_command_type=_functions_of("access")) as group:
        group.custom_command("login", "log_in", table_transformer=_table("login_table"))
        group.custom_command("logout", "log_out", table_transformer=_table("logout_table"))
        group.custom_command("check-access", "check_access", table_transformer=_table("access_table"))


def _functions_of(module: str) -> CliCommandType:
    from azure.cli.core.commands import CliCommandType

    return CliCommandType(operations_tmpl=f"{__package__}.cli.commands.{module}#{{}}")


def _table(name: str, module: str = "_format") -> Callable[[Any], Any]:
    """Return the table transformer *name*. It is imported when a table is asked for, since other commands of `az acr`
    never need it."""

    def transform(result: Any) -> Any:
        from importlib import import_module

        return getattr(import_module(f"{__package__}.{module}"), name)(result)

    return transform
