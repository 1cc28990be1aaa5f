"""Checks of arguments that need no network: they run before anything heavy is imported."""

from __future__ import annotations

from typing import Any

from .cli.argument_names import OF_LOGIN


def gather_artifact(cmd: Any, namespace: Any) -> None:
    """Check how the artifact is named and how to sign in, and gather both into one object each."""
    from .cli.arguments import gather, gather_content, gather_target

    # Azure CLI fills a configured default in for parameters of the function alone, not for `extra` ones.
    namespace.registry_name = namespace.registry_name or cmd.cli_ctx.config.get("defaults", "acr", fallback=None)
    _validate_artifact(cmd, namespace)
    _validate_credentials(namespace)
    gather(namespace)
    if hasattr(namespace, "stdin_name"):
        _validate_stdin(namespace)
        validate_sizes(namespace)
        gather_content(namespace)
    if hasattr(namespace, "to_username"):
        _validate_target(namespace)
        gather_target(namespace)


def gather_place(cmd: Any, namespace: Any) -> None:
    """Check how the registry is named and how to sign in, and gather both into one object each; a command that takes
    `repositories` may have one in its reference."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

    from .cli.arguments import gather_registry

    if _names_another_registry(cmd, namespace):
        raise MutuallyExclusiveArgumentError(
            "The registry is named twice, by REFERENCE and by --name.", "Give the server in one of them."
        )
    _take_apart(namespace)
    namespace.registry_name = namespace.registry_name or cmd.cli_ctx.config.get("defaults", "acr", fallback=None)
    if not namespace.registry_name:
        raise RequiredArgumentMissingError(
            "The registry is not named.", "Give --name REGISTRY, or set a default: az configure --defaults acr=REGISTRY"
        )
    if not getattr(namespace, "repositories", True):
        raise RequiredArgumentMissingError(
            "The repository is not named.", "Write SERVER/REPOSITORY, or give --repository REPOSITORY."
        )
    if hasattr(namespace, "username"):
        _validate_credentials(namespace)
    gather_registry(namespace)


def _take_apart(namespace: Any) -> None:
    """Take the registry and the repository, where there is one, out of *namespace*.artifact."""
    from azure.cli.core.azclierror import InvalidArgumentValueError, MutuallyExclusiveArgumentError

    place = (namespace.artifact or "").rstrip("/")
    first, slash, repository = place.partition("/")
    if slash and not _is_server(first):
        first, repository = "", place
    if not hasattr(namespace, "repositories") and repository:
        raise InvalidArgumentValueError("A sign-in is for a whole registry.", "Give the login server alone.")
    if repository and namespace.repositories:
        raise MutuallyExclusiveArgumentError(
            "The repository is named twice, by REFERENCE and by --repository.", "Give --repository alone."
        )
    if repository:
        namespace.repositories = [repository]
    if first and not _is_server(first) and namespace.registry_name not in (None, first):
        raise MutuallyExclusiveArgumentError(
            "The registry is named twice, by REFERENCE and by --name.", "Give one of them."
        )
    namespace.registry_name = first or namespace.registry_name


def _is_server(first: str) -> bool:
    """Whether *first*, what stands before a slash, is a server and no part of a repository's name."""
    return "." in first or ":" in first or first == "localhost"


def gather_repository(cmd: Any, namespace: Any) -> None:
    """As `gather_artifact`, for what may be a repository: --repository stands for an image without a tag."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

    from .cli.arguments import gather

    namespace.registry_name = namespace.registry_name or cmd.cli_ctx.config.get("defaults", "acr", fallback=None)
    repository = namespace.repository
    del namespace.repository
    image = getattr(namespace, "image", None)
    if repository and (image or namespace.artifact):
        raise MutuallyExclusiveArgumentError(
            "The artifact is named twice.", "Give --repository alone, or leave it out."
        )
    if hasattr(namespace, "image") and not repository:
        _require_version(namespace.artifact or namespace.image)
        gather_artifact(cmd, namespace)
        return
    if not namespace.artifact and not namespace.registry_name:
        raise RequiredArgumentMissingError(
            "The registry is not named.", "Give --name REGISTRY, or set a default: az configure --defaults acr=REGISTRY"
        )
    namespace.image = repository
    _validate_credentials(namespace)
    gather(namespace)


def gather_whole(cmd: Any, namespace: Any) -> None:
    """As `gather_artifact`, for what may be all of a repository: --repository is an image without a tag."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError

    repository = namespace.repository
    del namespace.repository
    if repository and (namespace.image or namespace.artifact):
        raise MutuallyExclusiveArgumentError(
            "The artifact is named twice.", "Give --repository alone, or leave it out."
        )
    namespace.image = namespace.image or repository
    gather_artifact(cmd, namespace)


def _require_version(named: str | None) -> None:
    """A forgotten tag must not mean the whole repository (https://github.com/Azure/azure-cli/issues/31878)."""
    from azure.cli.core.azclierror import RequiredArgumentMissingError

    last = (named or ":").rpartition("/")[2]
    if ":" not in last and "@" not in last:
        raise RequiredArgumentMissingError(
            "No tag and no digest.", "Name one of them. For the whole repository give --name and --repository."
        )


def _validate_artifact(cmd: Any, namespace: Any) -> None:
    """The artifact is named once: as REFERENCE, or by --image with --name (or `az configure --defaults acr=`)."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

    if namespace.artifact and namespace.image:
        raise MutuallyExclusiveArgumentError(
            "The artifact is named twice, by REFERENCE and by --image.", "Give one of them."
        )
    if _names_another_registry(cmd, namespace):
        raise MutuallyExclusiveArgumentError(
            "The registry is named twice, by REFERENCE and by --name.", "Give the server in one of them."
        )
    if not namespace.artifact and not namespace.image:
        raise RequiredArgumentMissingError(
            "The artifact is not named.",
            "Write it as SERVER/REPOSITORY:TAG, or give --name REGISTRY --image REPOSITORY:TAG.",
        )
    if namespace.image and not namespace.registry_name:
        raise RequiredArgumentMissingError(
            "The registry is not named.", "Give --name REGISTRY, or set a default: az configure --defaults acr=REGISTRY"
        )


def _names_another_registry(cmd: Any, namespace: Any) -> bool:
    """Whether --name was typed beside a reference with another server; a configured default does not count."""
    server = (namespace.artifact or "").partition("/")[0]
    registry = (namespace.registry_name or "").lower()
    default = cmd.cli_ctx.config.get("defaults", "acr", fallback="") or ""
    if "." not in server or not registry or registry == default.lower():
        return False
    return registry not in (server, server.partition(".")[0])


def _validate_credentials(namespace: Any, prefix: str = "") -> None:
    """A user name has a password, from one place, and a password has a user name."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

    username, password, from_stdin, auth_mode = (getattr(namespace, prefix + name) for name in OF_LOGIN)
    dashes = "--" + prefix.replace("_", "-")
    if password is not None and from_stdin:
        raise MutuallyExclusiveArgumentError(
            "The password is given twice.", f"Give {dashes}password or {dashes}password-stdin."
        )
    if username is None and (password is not None or from_stdin):
        raise RequiredArgumentMissingError("A password without a user name.", f"Give {dashes}username as well.")
    if username is not None and auth_mode is not None:
        raise MutuallyExclusiveArgumentError(
            "The sign-in is given twice.", f"Give {dashes}username or {dashes}auth-mode."
        )


def _validate_stdin(namespace: Any) -> None:
    """Standard input is read once: for a file, or for the password."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError

    from_stdin = any(text == "-" or text.startswith("-:") for text in namespace.files or [])
    if from_stdin and namespace.login.password_stdin:
        raise MutuallyExclusiveArgumentError(
            "Both the password and a file are to be read from standard input.", "Name a file, or give --password."
        )


def _validate_target(namespace: Any) -> None:
    """The target's sign-in is as whole as the source's, and standard input holds one password."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError

    _validate_credentials(namespace, "to_")
    _validate_target_name(namespace)
    if namespace.to_password_stdin and namespace.login.password_stdin:
        raise MutuallyExclusiveArgumentError(
            "Both passwords are to be read from standard input.", "Give one of them otherwise, or use --to-auth-mode."
        )


def _validate_target_name(namespace: Any) -> None:
    """The target's registry is named once: a forgotten one must not mean a repository of that name elsewhere."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError, RequiredArgumentMissingError

    first, slash, _ = namespace.to.partition("/")
    has_server = bool(slash) and _is_server(first)
    if has_server and namespace.to_name:
        raise MutuallyExclusiveArgumentError(
            "The target's registry is named twice, by --to and by --to-name.", "Give the server in one of them."
        )
    if not has_server and not namespace.to_name:
        raise RequiredArgumentMissingError(
            "The target's registry is not named.", "Write --to SERVER/REPOSITORY:TAG, or give --to-name REGISTRY."
        )


def validate_stdout(namespace: Any) -> None:
    """--stdout writes no files."""
    from azure.cli.core.azclierror import MutuallyExclusiveArgumentError

    given = {
        "--check": namespace.check,
        "--destination": namespace.destination,
        "--no-overwrite": namespace.no_overwrite,
        "--manifest-config": namespace.manifest_config,
    }
    wrong = [option for option, value in given.items() if value]
    if namespace.stdout and wrong:
        raise MutuallyExclusiveArgumentError(
            f"--stdout writes no files, so that {wrong[0]} has no meaning with it.", f"Leave out {wrong[0]}."
        )


def validate_sizes(namespace: Any) -> None:
    """Counts and sizes are positive."""
    from azure.cli.core.azclierror import InvalidArgumentValueError

    for name, option in (
        ("concurrency", "--concurrency"),
        ("top", "--top"),
        ("max_unpacked_size", "--max-unpacked-size"),
    ):
        value = getattr(namespace, name, None)
        if value is not None and value < 1:
            raise InvalidArgumentValueError(f"{option} must be at least 1.", "Leave it out for the default.")
    if (getattr(namespace, "keep", None) or 0) < 0:
        raise InvalidArgumentValueError("--keep must be at least 0.", "Leave it out to keep none.")
