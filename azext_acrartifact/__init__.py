"""`az acr artifact`: files to Azure Container Registry and back, as OCI artifacts.

Every `az acr …` of every user imports this file, `_help` and `commands`: nothing heavy may be imported here.
"""

from __future__ import annotations

import os
from typing import Any

from azure.cli.core import AzCommandsLoader

# It fills knack's table of help texts.
from . import _help  # noqa: F401  pylint: disable=unused-import


class AcrArtifactCommandsLoader(AzCommandsLoader):
    """What `az` asks for commands and arguments."""

    def __init__(self, cli_ctx: Any = None) -> None:
        from azure.cli.core.commands import CliCommandType

        super().__init__(cli_ctx=cli_ctx, custom_command_type=CliCommandType(operations_tmpl=f"{__name__}.custom#{{}}"))

    def load_command_table(self, args: Any) -> Any:
        """The commands of this extension, by name."""
        from .commands import load_command_table

        load_command_table(self, args)
        return self.command_table

    def load_arguments(self, command: str) -> None:
        """The arguments of *command*."""
        from ._params import load_arguments
        from .cli.import_path import distrust

        # Azure CLI calls this first of all for a command of ours, before anything of an artifact can be written.
        distrust(os.curdir)
        load_arguments(self, command)


COMMAND_LOADER_CLS = AcrArtifactCommandsLoader
