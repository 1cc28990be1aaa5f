"""The arguments of `backup` and `restore`."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext

from ..._validators import gather_whole
from .. import completion
from .options import CONCURRENCY, SEVERAL, flag, transfer_arguments
from .sign import trust_arguments
from .sign_in import artifact_arguments


def backup_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `backup`."""
    artifact_arguments(c, gather_whole)
    c.argument(
        "destination",
        options_list=["--destination", "-d"],
        help="The layout to write: a folder, or a tar if the name ends in `.tar`. An existing layout keeps its "
        "content; any other file or folder with content is refused.",
    )
    c.extra("repository", help="Save all tagged artifacts of this repository.", completer=completion.REPOSITORY)
    c.argument("tags", arg_type=SEVERAL, help="Save only the artifacts with these space-separated tags.")
    flag(c, "recursive", "Also save everything attached to the artifacts.")
    flag(c, "dry_run", "Only show what would be saved.")
    c.argument("concurrency", arg_type=CONCURRENCY)
    transfer_arguments(c)
    trust_arguments(c)


def restore_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `restore`."""
    artifact_arguments(c, gather_whole)
    c.argument("source", options_list=["--source", "-s"], help="The layout: a folder or a tar.")
    c.argument("source_tag", metavar="TAG", help="The artifact's tag or digest in the layout, if it differs there.")
    c.extra(
        "repository",
        help="Restore everything that the layout lists to this repository.",
        completer=completion.REPOSITORY,
    )
    c.argument("tags", arg_type=SEVERAL, help="Restore only the artifacts with these space-separated tags.")
    flag(c, "no_overwrite", "Fail if a tag already names another artifact.")
    flag(c, "recursive", "Also restore everything attached to the artifacts.")
    flag(c, "dry_run", "Only show what would be restored.")
    c.argument("concurrency", arg_type=CONCURRENCY)
    transfer_arguments(c)
