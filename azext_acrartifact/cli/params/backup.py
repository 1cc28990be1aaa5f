"""The arguments of `backup` and `restore`."""

from __future__ import annotations

from typing import Any

from .content import concurrency_type


def layout_arguments(loader: Any) -> None:
    """Declare what is not common to all commands."""
    with loader.argument_context("acr artifact backup") as c:
        c.argument(
            "destination",
            options_list=["--destination", "-d"],
            help="Where the layout goes: a folder, or a tar if the name ends in `.tar`. What a layout that is there "
            "holds stays in it; anything else is refused.",
        )
        c.extra("repository", help="Save everything in this repository that has a tag.")
        c.argument("tags", nargs="+", action="extend", help="Save only the artifacts with these tags.")
        _common(c, "Save what is attached to the artifacts, too.", "Only show what would be saved.")
    with loader.argument_context("acr artifact restore") as c:
        c.argument("source", options_list=["--source", "-s"], help="The layout: a folder or a tar.")
        c.argument(
            "source_tag",
            metavar="TAG",
            help="The tag or digest that the artifact has in the layout, if it is another one.",
        )
        c.extra("repository", help="Restore everything that the layout lists to this repository.")
        c.argument("tags", nargs="+", action="extend", help="Restore only the artifacts with these tags.")
        c.argument("no_overwrite", action="store_true", help="Fail when a tag is there and names another artifact.")
        _common(c, "Restore what is attached to the artifacts, too.", "Only show what would be restored.")


def _common(c: Any, recursive: str, dry_run: str) -> None:
    c.argument("recursive", action="store_true", help=recursive)
    c.argument("dry_run", action="store_true", help=dry_run)
    c.argument("concurrency", arg_type=concurrency_type())
