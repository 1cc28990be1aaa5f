"""The arguments of every command: one function for each declares them, with their help."""

from __future__ import annotations

from collections.abc import Callable

from azure.cli.core import AzCommandsLoader
from azure.cli.core.commands.parameters import AzArgumentContext

from .cli.params.access import check_access_arguments, login_arguments, logout_arguments
from .cli.params.backup import backup_arguments, restore_arguments
from .cli.params.content import attach_arguments, push_arguments
from .cli.params.copy import copy_arguments
from .cli.params.list import list_arguments, list_referrers_arguments
from .cli.params.manifest import delete_arguments, pull_arguments, show_arguments
from .cli.params.purge import purge_arguments
from .cli.params.sign import sign_arguments, verify_arguments
from .cli.params.sign_in import artifact_arguments
from .cli.params.tag import tag_arguments, update_arguments

DECLARATIONS: dict[str, Callable[[AzArgumentContext], None]] = {
    "acr artifact push": push_arguments,
    "acr artifact pull": pull_arguments,
    "acr artifact show": show_arguments,
    "acr artifact delete": delete_arguments,
    "acr artifact attach": attach_arguments,
    "acr artifact list-referrers": list_referrers_arguments,
    "acr artifact list": list_arguments,
    "acr artifact tag": tag_arguments,
    "acr artifact untag": artifact_arguments,
    "acr artifact update": update_arguments,
    "acr artifact copy": copy_arguments,
    "acr artifact backup": backup_arguments,
    "acr artifact restore": restore_arguments,
    "acr artifact purge": purge_arguments,
    "acr artifact sign": sign_arguments,
    "acr artifact verify": verify_arguments,
    "acr artifact login": login_arguments,
    "acr artifact logout": logout_arguments,
    "acr artifact check-access": check_access_arguments,
}


def load_arguments(loader: AzCommandsLoader, command: str) -> None:
    """Declare the arguments of *command*; of every command if it is empty, as Azure CLI's linter and docs ask."""
    for name in [command] if command else DECLARATIONS:
        with loader.argument_context(name) as c:
            DECLARATIONS[name](c)
