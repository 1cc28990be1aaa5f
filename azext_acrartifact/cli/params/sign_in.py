"""The arguments that name a registry and sign in, which every command takes."""

from __future__ import annotations

from typing import Any

from ..._validators import gather_place
from ..argument_names import AUTH_MODES


def registry_argument(c: Any) -> None:
    """`--name`."""
    from azure.cli.core.commands.parameters import get_resource_name_completion_list

    c.extra(
        "registry_name",
        options_list=["--name", "-n", "--registry", "-r"],
        help="The registry, by its name or its login server. "
        "You can configure a default with `az configure --defaults acr=REGISTRY`.",
        configured_default="acr",
        completer=get_resource_name_completion_list("Microsoft.ContainerRegistry/registries"),
    )


def registry_arguments(c: Any, *, signs_in: bool, in_repository: bool) -> None:
    """What a command about a registry takes; `_validators.gather_place` makes `artifact` and `login` of it."""
    c.positional(
        "artifact",
        nargs="?",
        metavar="REFERENCE",
        help="The registry and the repository, as SERVER/REPOSITORY. Instead, --name and --repository may be given."
        if in_repository
        else "The registry, as SERVER. Instead, --name may be given.",
        validator=gather_place,
    )
    registry_argument(c)
    suffix_argument(c)
    if signs_in:
        c.ignore("login")
        credential_arguments(c)


def access_arguments(c: Any) -> None:
    """What `check-access` takes besides."""
    from azure.cli.core.commands.parameters import get_enum_type

    c.argument(
        "repositories",
        options_list=["--repository"],
        nargs="+",
        action="extend",
        help="The repositories. They need not exist.",
    )
    c.argument(
        "actions",
        options_list=["--action"],
        nargs="+",
        arg_type=get_enum_type(["pull", "push", "delete", "metadata_read", "metadata_write"]),
        help="The actions to check. Default: all of them.",
    )


def suffix_argument(c: Any) -> None:
    """`--suffix`."""
    c.extra(
        "suffix",
        options_list=["--suffix"],
        help="The tenant suffix in the login server, of a registry that is named without it: "
        "REGISTRY-SUFFIX.azurecr.io.",
        arg_group="Registry",
    )


def credential_arguments(c: Any) -> None:
    """Everything about the identity."""
    from azure.cli.core.commands.parameters import get_enum_type

    group = "Sign-in"
    c.extra(
        "username",
        options_list=["--username", "-u"],
        arg_group=group,
        help="Sign in to the registry with this user instead of the Azure CLI's login: a service principal's "
        "application id, a repository token's name, or the admin user.",
    )
    c.extra(
        "password",
        options_list=["--password", "-p"],
        arg_group=group,
        help="The user's password. It is visible to others on this machine: prefer --password-stdin.",
    )
    c.extra(
        "password_stdin",
        options_list=["--password-stdin"],
        action="store_true",
        arg_group=group,
        help="Read the password from standard input.",
    )
    c.extra(
        "auth_mode",
        options_list=["--auth-mode"],
        arg_type=get_enum_type(AUTH_MODES),
        arg_group=group,
        help="How to sign in without --username. `auto` takes the Azure CLI's login, else an identity in the "
        "environment, else a credential that docker keeps, and reads without any where the registry lets everybody; "
        "--verbose says which. Default: auto, or that of `az config set acrartifact.auth_mode=MODE`.",
    )
