"""The command table: which function a command calls, and how its result looks as a table."""

from __future__ import annotations

from typing import Any

from ._format import (
    access_table,
    copy_table,
    layout_table,
    list_table,
    pull_table,
    purge_table,
    push_table,
    show_table,
)
from ._trees import referrers_table


def load_command_table(loader: Any, _args: Any) -> None:
    """Register the commands of `az acr artifact`."""
    with loader.command_group("acr artifact") as group:
        group.custom_command("push", "push", table_transformer=push_table)
        group.custom_command("pull", "pull", table_transformer=pull_table)
        group.custom_show_command("show", "show", table_transformer=show_table)
        group.custom_command("delete", "delete")
    with loader.command_group("acr artifact", custom_command_type=_functions_of("_catalog")) as group:
        group.custom_command("list", "list_artifacts", table_transformer=list_table)
        group.custom_command("tag", "tag")
        group.custom_command("untag", "untag")
        group.custom_command("update", "update")
    with loader.command_group("acr artifact", custom_command_type=_functions_of("_purge")) as group:
        group.custom_command("purge", "purge", table_transformer=purge_table)
    with loader.command_group("acr artifact", custom_command_type=_functions_of("_referrers")) as group:
        group.custom_command("attach", "attach", table_transformer=push_table)
        group.custom_command("list-referrers", "list_referrers", table_transformer=referrers_table)
    with loader.command_group("acr artifact", custom_command_type=_functions_of("_layouts")) as group:
        group.custom_command("backup", "backup", table_transformer=layout_table)
        group.custom_command("restore", "restore", table_transformer=layout_table)
    with loader.command_group("acr artifact", custom_command_type=_functions_of("_copying")) as group:
        group.custom_command("copy", "copy", table_transformer=copy_table)
    with loader.command_group("acr artifact", custom_command_type=_functions_of("_access")) as group:
        group.custom_command("login", "log_in")
        group.custom_command("logout", "log_out")
        group.custom_command("check-access", "check_access", table_transformer=access_table)


def _functions_of(module: str) -> Any:
    from azure.cli.core.commands import CliCommandType

    return CliCommandType(operations_tmpl=f"{__package__}.{module}#{{}}")
