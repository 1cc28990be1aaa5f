"""The arguments of `login`, `logout` and `check-access`."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext, get_enum_type

from ..._validators import gather_registry
from .. import completion
from .options import SEVERAL
from .sign_in import credential_arguments, registry_arguments

_REGISTRY = "The registry, as SERVER. Instead, give --name."


def login_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `login`."""
    registry_arguments(c, _REGISTRY, gather_registry, completion.SERVER)
    credential_arguments(c)


def logout_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `logout`."""
    registry_arguments(c, _REGISTRY, gather_registry, completion.SERVER)


def check_access_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `check-access`."""
    reference = "The registry and the repository, as SERVER/REPOSITORY. Instead, give --name and --repository."
    registry_arguments(c, reference, gather_registry, completion.REPOSITORY_REFERENCE)
    credential_arguments(c)
    c.argument(
        "repositories",
        options_list=["--repository"],
        arg_type=SEVERAL,
        help="The repositories, space-separated. They need not exist.",
        completer=completion.REPOSITORY,
    )
    c.argument(
        "actions",
        options_list=["--action"],
        nargs="+",
        arg_type=get_enum_type(["pull", "push", "delete", "metadata_read", "metadata_write"]),
        help="Actions that must be allowed, space-separated: if one is not, the command fails. Default: show all, and "
        "succeed.",
    )
