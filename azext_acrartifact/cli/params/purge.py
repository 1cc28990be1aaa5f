"""The arguments of `purge`."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext

from ..._validators import validate_sizes
from .options import SEVERAL, flag, yes_argument
from .sign_in import repository_arguments


def purge_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `purge`."""
    repository_arguments(c, "Purge all tags of this repository.")
    c.argument(
        "filters",
        options_list=["--filter"],
        arg_type=SEVERAL,
        metavar="REPOSITORY:TAG",
        help="Purge matching tags in matching repositories. Both are regular expressions for the whole name, such as "
        "'samples/.*:dev-.*'. The plain name of a repository needs no permission to list repositories.",
    )
    c.argument(
        "ago",
        help="Purge only what was last changed longer ago than this, in days, hours, minutes and seconds: 30d, 1h30m, "
        "2d3h6m. 0d means any age.",
    )
    c.argument(
        "keep",
        type=int,
        help="Keep this many of the matching old tags in each repository: the newest.",
        validator=validate_sizes,
    )
    flag(
        c,
        "untagged",
        "Also delete untagged artifacts older than --ago, including those that lose their last tag now. Children of an "
        "index and referrers are deleted only with their parent.",
    )
    flag(c, "untagged_only", "Delete only untagged artifacts, and remove no tag.")
    flag(
        c,
        "include_referrers",
        "Also delete untagged artifacts that have referrers, such as signatures, and the referrers with them, if all "
        "of those are untagged and older than --ago. Otherwise such artifacts are kept.",
    )
    flag(c, "dry_run", "Only list what would be deleted, and why other things would be kept.")
    yes_argument(c)
