"""Options that several commands take."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext
from knack.arguments import CLIArgumentType

from ..._validators import validate_rate, validate_sizes

CONCURRENCY = CLIArgumentType(
    type=int,
    help="How many requests may be in flight at once. Default: the value of `az config set acrartifact.concurrency=N`, "
    "otherwise chosen while the transfer runs, from 4 to 64.",
    validator=validate_sizes,
)
CAP_MBPS = CLIArgumentType(
    type=float,
    metavar="N",
    help="The most megabits a second that the command sends and receives, over all its connections together. What "
    "Azure copies between registries itself is not limited. Default: no limit.",
    validator=validate_rate,
)
SEVERAL = CLIArgumentType(nargs="+", action="extend")
"""An option with one or more values, which may be given more than once."""


def transfer_arguments(c: AzArgumentContext) -> None:
    """Declare the options of all commands that transfer blobs; `_exception_handler.command` takes --cap-mbps."""
    c.extra("cap_mbps", options_list=["--cap-mbps"], arg_type=CAP_MBPS)


def flag(c: AzArgumentContext, name: str, text: str) -> None:
    """Declare an option without a value, with the help *text*."""
    c.argument(name, action="store_true", help=text)


def no_overwrite_argument(c: AzArgumentContext, exception: str = "") -> None:
    """Declare --no-overwrite for tags; *exception* ends its help."""
    text = "Fail if a tag already names another artifact. Two runs at the same moment may both pass this check"
    flag(c, "no_overwrite", f"{text}{exception}.")


def yes_argument(c: AzArgumentContext) -> None:
    """Declare --yes."""
    c.argument("yes", options_list=["--yes", "-y"], action="store_true", help="Do not ask for confirmation.")
