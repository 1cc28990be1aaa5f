"""The arguments of `list`, `tag` and `update`, and how `push` and `tag` treat tags."""

from __future__ import annotations

from typing import Any

from ..._validators import validate_sizes


def catalog_arguments(loader: Any) -> None:
    """Declare what is not common to all commands."""
    from azure.cli.core.commands.parameters import get_enum_type, get_three_state_flag

    with loader.argument_context("acr artifact list") as c:
        c.extra("repository", help="List the artifacts of this repository, instead of the repositories.")
        c.argument(
            "orderby",
            arg_type=get_enum_type(["time_desc", "time_asc", "name"]),
            help="The order of artifacts: by the time of their last change, or by their tags. Default: by digest.",
        )
        c.argument("top", type=int, help="List at most this many.", validator=validate_sizes)
        c.argument("artifact_type", help="List only artifacts of this type.")
    with loader.argument_context("acr artifact tag") as c:
        c.argument("tags", nargs="+", action="extend", help="The tags to add.")
        tag_rules(c)
    with loader.argument_context("acr artifact update") as c:
        c.extra("repository", help="Change the attributes of this whole repository.")
        flag = get_three_state_flag()
        c.argument("delete_enabled", arg_type=flag, help="Whether it may be deleted.")
        c.argument("list_enabled", arg_type=flag, help="Whether it is listed.")
        c.argument("read_enabled", arg_type=flag, help="Whether it may be pulled.")
        c.argument("write_enabled", arg_type=flag, help="Whether it may be overwritten or deleted.")
    with loader.argument_context("acr artifact purge") as c:
        _purge(c)


def _purge(c: Any) -> None:
    c.extra("repository", help="Purge this repository alone, all its tags.")
    c.argument(
        "filters",
        options_list=["--filter"],
        nargs="+",
        action="extend",
        metavar="REPOSITORY:TAG",
        help="Purge the tags that match in the repositories that match: two regular expressions, each of which must "
        "match the whole name, such as 'samples/.*:dev-.*'. The name of one repository needs no right to list them.",
    )
    c.argument(
        "ago",
        help="Purge only what was last changed longer ago than this, in days, hours, minutes and seconds: 30d, 1h30m, "
        "2d3h6m. 0d means any age.",
    )
    c.argument(
        "keep",
        type=int,
        help="Of the tags in each repository that match and are old enough, keep this many: the newest.",
        validator=validate_sizes,
    )
    c.argument(
        "untagged",
        action="store_true",
        help="Then delete the artifacts, as old, that have no tag, with all that lost its last tag. What an index "
        "lists, and what is attached to an artifact, goes only with that.",
    )
    c.argument("untagged_only", action="store_true", help="Delete only artifacts that have no tag, and remove no tag.")
    c.argument(
        "include_referrers",
        action="store_true",
        help="Delete artifacts without a tag also when something is attached to them, such as a signature, and that "
        "too, if all of it is as old and has no tag. Without this they are kept.",
    )
    c.argument("dry_run", action="store_true", help="Only list what would go, and why other things would stay.")
    c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")


def tag_rules(c: Any) -> None:
    """--no-overwrite and --lock."""
    c.argument(
        "no_overwrite",
        action="store_true",
        help="Fail when a tag is there and names another artifact. The registry cannot look and write at once, so that "
        "of two at the same moment both may succeed, and the later one wins; with --lock only one does.",
    )
    c.argument(
        "lock",
        action="store_true",
        help="Lock the artifact and its tags when it is stored: neither can be overwritten or deleted.",
    )
