"""The arguments of `copy` beside those that name and sign in to its source."""

from __future__ import annotations

from typing import Any

from ..argument_names import AUTH_MODES
from .content import concurrency_type


def copy_arguments(c: Any) -> None:
    """Declare them; `_validators.gather_artifact` makes `target` of those that begin with `--to`."""
    c.ignore("target")
    c.extra(
        "to",
        options_list=["--to"],
        required=True,
        help="Where to copy to, as SERVER/REPOSITORY:TAG, or with --to-name as REPOSITORY:TAG. Without a tag the "
        "copy is found by its digest.",
    )
    c.extra("to_name", options_list=["--to-name"], help="The registry to copy to, by its name or its login server.")
    c.argument("tags", nargs="+", action="extend", help="More tags for the copy.")
    c.argument("recursive", action="store_true", help="Copy what is attached as well, and what is attached to that.")
    c.argument(
        "platform",
        help="Of an index, copy only the artifact for this platform, as OS/ARCHITECTURE[/VARIANT]. The tag then names "
        "that artifact. Default: the whole index.",
    )
    c.argument("dry_run", action="store_true", help="Only show what would be copied, and by which way.")
    c.argument(
        "no_overwrite",
        action="store_true",
        help="Fail when a tag is there and names another artifact. The registry cannot look and write at once, so that "
        "of two at the same moment both may succeed, and the later one wins.",
    )
    c.argument("concurrency", arg_type=concurrency_type())
    _target_sign_in(c)


def _target_sign_in(c: Any) -> None:
    from azure.cli.core.commands.parameters import get_enum_type

    group = "Sign-in at the target"
    c.extra(
        "to_username",
        options_list=["--to-username"],
        arg_group=group,
        help="Sign in to the target's registry with this user. Default: as to the source within one registry, "
        "otherwise by --to-auth-mode. A password is never used for another registry than the one it was given for.",
    )
    c.extra(
        "to_password",
        options_list=["--to-password"],
        arg_group=group,
        help="That user's password. It is visible to others on this machine: prefer --to-password-stdin.",
    )
    c.extra(
        "to_password_stdin",
        options_list=["--to-password-stdin"],
        action="store_true",
        arg_group=group,
        help="Read that user's password from standard input.",
    )
    c.extra(
        "to_auth_mode",
        options_list=["--to-auth-mode"],
        arg_type=get_enum_type(AUTH_MODES),
        arg_group=group,
        help="How to sign in to the target's registry without --to-username.",
    )
