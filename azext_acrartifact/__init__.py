"""`az acr artifact`: store files in Azure Container Registry as OCI artifacts.

Every `az acr …` command imports this file, `_help` and `commands`: nothing heavy may be imported here.
"""

from __future__ import annotations

import os

from azure.cli.core import AzCommandsLoader
from azure.cli.core.commands import AzCliCommand

# Importing it fills knack's table of help texts.
from . import _help  # noqa: F401  pylint: disable=unused-import


class AcrArtifactCommandsLoader(AzCommandsLoader):
    """Registers the commands and their arguments with `az`."""

    def load_command_table(self, args: list[str] | None) -> dict[str, AzCliCommand]:
        """Return the commands of this extension, by name."""
        from .commands import load_command_table

        load_command_table(self, args)
        table: dict[str, AzCliCommand] = self.command_table
        return table

    def load_arguments(self, command: str) -> None:
        """Declare the arguments of *command*, or of all commands if it is empty."""
        from .cli.import_path import distrust

        # Azure CLI calls this first of all for a command of ours: nothing else may be imported before.
        distrust(os.curdir)
        from ._params import load_arguments

        load_arguments(self, command)
        if command:
            from .cli.command_line import watch

            watch(self.cli_ctx, command)


COMMAND_LOADER_CLS = AcrArtifactCommandsLoader
