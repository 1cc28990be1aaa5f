"""The arguments that name an artifact or a registry, and those of a sign-in."""

from __future__ import annotations

from collections.abc import Callable

from azure.cli.core.commands.parameters import AzArgumentContext, get_enum_type
from azure.cli.core.decorators import Completer

from ..._validators import gather_artifact, gather_repository, gather_whole
from .. import completion
from ..argument_names import AUTH_MODES


def artifact_arguments(c: AzArgumentContext, validator: Callable[..., None] = gather_artifact) -> None:
    """Declare the artifact and the sign-in; *validator* makes `artifact` and `login` of them."""
    all_of_it = validator is gather_whole
    reference = "The artifact, as SERVER/REPOSITORY:TAG or SERVER/REPOSITORY@DIGEST (12 digits are enough)"
    image = "The artifact in the registry, as REPOSITORY:TAG or REPOSITORY@DIGEST"
    reference += ", or SERVER/REPOSITORY for all of the repository" if all_of_it else ""
    image += ", or REPOSITORY for all of the repository" if all_of_it else ""
    completer = completion.REPOSITORY_REFERENCE if all_of_it else completion.REFERENCE
    registry_arguments(c, f"{reference}. Instead, give --name and --image.", validator, completer)
    c.extra("image", options_list=["--image", "-t"], help=f"{image}.", completer=completion.IMAGE)
    credential_arguments(c)


def repository_arguments(c: AzArgumentContext, repository: str) -> None:
    """Declare the registry or repository and the sign-in, and --repository with the help *repository*."""
    reference = "The registry or repository, as SERVER or SERVER/REPOSITORY. Instead, give --name and --repository."
    registry_arguments(c, reference, gather_repository, completion.REPOSITORY_REFERENCE)
    c.extra("repository", help=repository, completer=completion.REPOSITORY)
    credential_arguments(c)


def registry_arguments(
    c: AzArgumentContext, reference: str, validator: Callable[..., None], completer: Completer
) -> None:
    """Declare REFERENCE with the help *reference*, and the other names of a registry; *validator* gathers them, and
    *completer* completes REFERENCE."""
    c.positional("artifact", nargs="?", metavar="REFERENCE", help=reference, validator=validator, completer=completer)
    c.extra(
        "registry_name",
        options_list=["--name", "-n", "--registry", "-r"],
        help="The name or login server of the registry. "
        "You can configure a default with `az configure --defaults acr=REGISTRY`.",
        configured_default="acr",
        completer=completion.REGISTRY,
    )
    c.extra(
        "suffix",
        options_list=["--suffix"],
        help="The tenant suffix of the login server (REGISTRY-SUFFIX.azurecr.io), if the registry is given by name.",
        arg_group="Registry",
    )


def credential_arguments(c: AzArgumentContext) -> None:
    """Declare the sign-in."""
    c.ignore("login")
    _credentials(
        c,
        "Sign-in",
        "Sign in to the registry with this user instead of the Azure CLI's login: the application id of a service "
        "principal, the name of a repository token, or the admin user.",
        "How to sign in without --username. `auto` tries the Azure CLI's login, an identity in the environment, "
        "docker's credentials, and, for reads, anonymous access; --verbose shows which one worked. "
        "Default: auto, or the value of `az config set acrartifact.auth_mode=MODE`.",
    )


def target_credential_arguments(c: AzArgumentContext) -> None:
    """Declare the sign-in at the target of a copy."""
    _credentials(
        c,
        "Sign-in at the target",
        "Sign in to the target's registry with this user. Default: the source's sign-in within one registry, "
        "otherwise --to-auth-mode. A password is only ever used for the registry that it was given for.",
        "How to sign in to the target's registry without --to-username.",
        "to-",
    )


def _credentials(c: AzArgumentContext, group: str, username: str, auth_mode: str, prefix: str = "") -> None:
    """Declare the options of one sign-in, with the help of two of them."""
    names, short = prefix.replace("-", "_"), not prefix
    c.extra(
        f"{names}username",
        options_list=[f"--{prefix}username", *(["-u"] if short else [])],
        arg_group=group,
        help=username,
    )
    c.extra(
        f"{names}password",
        options_list=[f"--{prefix}password", *(["-p"] if short else [])],
        arg_group=group,
        help=f"The user's password. Other users of this machine can see it: prefer --{prefix}password-stdin.",
    )
    c.extra(
        f"{names}password_stdin",
        options_list=[f"--{prefix}password-stdin"],
        action="store_true",
        arg_group=group,
        help="Read the user's password from standard input.",
    )
    modes = get_enum_type(AUTH_MODES)
    c.extra(f"{names}auth_mode", options_list=[f"--{prefix}auth-mode"], arg_type=modes, arg_group=group, help=auth_mode)
