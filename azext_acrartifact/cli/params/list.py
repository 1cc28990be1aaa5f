"""The arguments of `list` and `list-referrers`."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext, get_enum_type

from ..._validators import validate_sizes
from .options import flag
from .sign_in import artifact_arguments, repository_arguments


def list_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `list`."""
    repository_arguments(c, "List the artifacts of this repository, instead of the repositories.")
    c.argument(
        "orderby",
        arg_type=get_enum_type(["time_desc", "time_asc", "name"]),
        help="The order of artifacts: by the time of their last change, or by their tags, as versions. Default: "
        "time_desc, the newest first.",
    )
    c.argument("top", type=int, help="List at most this many.", validator=validate_sizes)
    c.argument("artifact_type", help="List only artifacts of this type.")


def list_referrers_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `list-referrers`."""
    artifact_arguments(c)
    c.argument("artifact_type", help="List only artifacts of this type, and those that they are attached to.")
    flag(c, "recursive", "Also list what is attached to the attached artifacts.")
