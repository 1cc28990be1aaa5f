"""The arguments of `tag` and `update`, and the rules of `push` and `tag` for tags."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext, get_three_state_flag

from ..._validators import gather_repository
from .. import completion
from .options import SEVERAL, flag, no_overwrite_argument
from .sign_in import artifact_arguments


def tag_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `tag`."""
    artifact_arguments(c)
    c.argument("tags", arg_type=SEVERAL, help="The tags to add, space-separated.")
    tag_rules(c)


def tag_rules(c: AzArgumentContext) -> None:
    """Declare --no-overwrite and --lock."""
    no_overwrite_argument(c, ", unless --lock is given as well")
    flag(c, "lock", "Lock the new artifact and its tags, so that they cannot be overwritten or deleted.")


def update_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `update`."""
    artifact_arguments(c, gather_repository)
    c.extra("repository", help="Change the attributes of this whole repository.", completer=completion.REPOSITORY)
    three_states = get_three_state_flag()
    c.argument("delete_enabled", arg_type=three_states, help="Whether it may be deleted.")
    c.argument("list_enabled", arg_type=three_states, help="Whether it is listed.")
    c.argument("read_enabled", arg_type=three_states, help="Whether it may be pulled.")
    c.argument("write_enabled", arg_type=three_states, help="Whether it may be overwritten or deleted.")
