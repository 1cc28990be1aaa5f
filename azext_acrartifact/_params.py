"""The arguments of every command."""

from __future__ import annotations

from typing import Any

from ._validators import gather_artifact, gather_repository, gather_whole, validate_stdout
from .cli.params.backup import layout_arguments
from .cli.params.content import concurrency_type, content_arguments
from .cli.params.copy import copy_arguments
from .cli.params.list import catalog_arguments, tag_rules
from .cli.params.sign_in import (
    access_arguments,
    credential_arguments,
    registry_argument,
    registry_arguments,
    suffix_argument,
)

COMMANDS = (
    "push",
    "pull",
    "show",
    "delete",
    "attach",
    "list-referrers",
    "tag",
    "untag",
    "update",
    "copy",
    "backup",
    "restore",
)

VALIDATORS = {"update": gather_repository, "backup": gather_whole, "restore": gather_whole}
"""Those of commands that take a repository as well."""


def load_arguments(loader: Any, _command: str) -> None:
    """Declare the arguments."""
    for command in COMMANDS:
        _common(loader, f"acr artifact {command}", VALIDATORS.get(command, gather_artifact))
    _place(loader, "list")
    _place(loader, "purge")
    catalog_arguments(loader)
    layout_arguments(loader)
    for command in ("push", "attach"):
        with loader.argument_context(f"acr artifact {command}") as c:
            content_arguments(c, required_type=command == "attach")
    with loader.argument_context("acr artifact push") as c:
        tag_rules(c)
        c.argument(
            "platform",
            help="Push the artifact for this platform, as OS/ARCHITECTURE[/VARIANT], into the index that the tag "
            "names. It is made when there is none; what it has for the same platform is replaced.",
        )
    with loader.argument_context("acr artifact pull") as c:
        _pull(c)
    with loader.argument_context("acr artifact show") as c:
        # Azure CLI drops a parameter that is itself called `raw` (azure.cli.core.commands.EXCLUDED_PARAMS).
        c.argument(
            "raw_manifest",
            options_list=["--raw"],
            action="store_true",
            help="Write the manifest's own bytes to standard output.",
        )
        c.argument(
            "detail",
            action="store_true",
            help="Show also its locks besides those of the tag, what it is attached to, and how much of which type is "
            "attached to it.",
        )
    with loader.argument_context("acr artifact delete") as c:
        c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")
        c.argument(
            "force",
            action="store_true",
            help="Delete even what has a locked tag, or is listed by a tagged index, which breaks the index.",
        )
    with loader.argument_context("acr artifact copy") as c:
        copy_arguments(c)
    with loader.argument_context("acr artifact list-referrers") as c:
        c.argument("artifact_type", help="List only what is of this type, and what leads to it.")
        c.argument("recursive", action="store_true", help="List what is attached to the attached artifacts, too.")
    for command in ("login", "logout", "check-access"):
        with loader.argument_context(f"acr artifact {command}") as c:
            registry_arguments(c, signs_in=command != "logout", in_repository=command == "check-access")
    with loader.argument_context("acr artifact check-access") as c:
        access_arguments(c)


def _common(loader: Any, command: str, validator: Any) -> None:
    """What names an artifact and signs in; *validator* makes `artifact` and `login` of it."""
    whole = ", or SERVER/REPOSITORY for everything" if validator is gather_whole else ""
    with loader.argument_context(command) as c:
        c.ignore("login")
        c.positional(
            "artifact",
            nargs="?",
            metavar="REFERENCE",
            help="The artifact, as SERVER/REPOSITORY:TAG or SERVER/REPOSITORY@DIGEST"
            f"{whole}. Instead, --name and --image may be given.",
            validator=validator,
        )
        registry_argument(c)
        c.extra(
            "image",
            options_list=["--image", "-t"],
            help="The artifact in the registry, as REPOSITORY:TAG or REPOSITORY@DIGEST"
            + (", or REPOSITORY for everything." if whole else "."),
        )
        suffix_argument(c)
        credential_arguments(c)


def _place(loader: Any, command: str) -> None:
    """What names a registry or a repository."""
    with loader.argument_context(f"acr artifact {command}") as c:
        c.ignore("login")
        c.positional(
            "artifact",
            nargs="?",
            metavar="REFERENCE",
            help="The registry or repository, as SERVER or SERVER/REPOSITORY. "
            "Instead, --name and --repository may be given.",
            validator=gather_repository,
        )
        registry_argument(c)
        suffix_argument(c)
        credential_arguments(c)


def _pull(c: Any) -> None:
    c.argument(
        "destination",
        options_list=["--destination", "-d"],
        help="The folder to write to. It is made when it does not exist. Default: the current folder.",
    )
    c.argument(
        "media_type", nargs="+", action="extend", help="Pull only files of these media types; `*` stands for any text."
    )
    c.argument(
        "include", nargs="+", action="extend", help="Pull only files that match one of these patterns: `docs/**`."
    )
    c.argument("exclude", nargs="+", action="extend", help="Do not pull files that match one of these patterns.")
    c.argument("manifest_config", help="Write the artifact's config to this path as well.")
    c.argument(
        "check",
        action="store_true",
        help="Only compare what is on the disk with the artifact; fail when something differs or is missing.",
    )
    c.argument(
        "no_overwrite",
        action="store_true",
        help="Fail before anything is written when a file or folder is there and differs.",
    )
    c.argument(
        "stdout",
        action="store_true",
        help="Write one file to standard output, once all of it is there and right, instead of to a folder.",
        validator=validate_stdout,
    )
    c.argument(
        "max_unpacked_size",
        type=int,
        help="How many bytes a folder may unpack to. Default: 100 times its packed size, and at least 1 GiB.",
    )
    c.argument(
        "referrer",
        metavar="TYPE",
        help="Pull the newest artifact of this type that is attached to the one named, instead of that.",
    )
    c.argument(
        "platform",
        help="Which artifact of an index to pull, as OS/ARCHITECTURE[/VARIANT]. Default: the one for this machine.",
    )
    c.argument("concurrency", arg_type=concurrency_type())
