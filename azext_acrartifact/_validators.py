"""Checks of arguments that need no network: they run before anything heavy is imported."""

from __future__ import annotations

import os
from argparse import Namespace

from azure.cli.core.azclierror import (
    InvalidArgumentValueError,
    MutuallyExclusiveArgumentError,
    RequiredArgumentMissingError,
)
from azure.cli.core.commands import AzCliCommand

from .cli.argument_names import OF_LOGIN, is_same_registry, is_server, plain_name

_NO_REGISTRY = "No registry given."
_GIVE_REGISTRY = "Give --name REGISTRY, or set a default: az configure --defaults acr=REGISTRY"
_TWO_REGISTRIES = "REFERENCE and --name give two registries."


def gather_artifact(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Check the arguments that name an artifact and sign in, and gather them into one object each."""
    from .cli import arguments

    _require_plain_names(namespace)
    # Azure CLI uses a configured default for parameters of the function only, not for `extra` ones.
    namespace.registry_name = namespace.registry_name or _default_registry(cmd)
    _validate_artifact(cmd, namespace)
    _validate_credentials(namespace)
    arguments.gather_artifact_and_login(namespace)
    if hasattr(namespace, "stdin_name"):
        _validate_stdin(namespace)
        validate_sizes(namespace)
        arguments.gather_content(namespace)
    if hasattr(namespace, "to_username"):
        _validate_target(namespace)
        arguments.gather_target(namespace)
    if hasattr(namespace, "trusted_identity"):
        _validate_trust(namespace)
        arguments.gather_trust(namespace)


def gather_signed(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Do the same as `gather_artifact` for a command that takes several artifacts, and a key."""
    from .cli import arguments

    if namespace.artifact and namespace.image:
        raise _exclusive("REFERENCE", "--image")
    named = [(one, None) for one in namespace.artifact or []] + [(None, one) for one in namespace.image or []]
    found, one = [], namespace
    for reference, image in named or [(None, None)]:
        one = Namespace(**{**vars(namespace), "artifact": reference, "image": image})
        gather_artifact(cmd, one)
        found.append(one.artifact)
    vars(namespace).clear()
    vars(namespace).update(vars(one), artifact=found)
    _validate_key(namespace)
    arguments.gather_key(namespace)


def _validate_key(namespace: Namespace) -> None:
    """Require one key, and for a key in a file its certificates."""
    if namespace.key and namespace.key_file:
        raise _exclusive("--key", "--key-file")
    if not namespace.key and not namespace.key_file:
        raise RequiredArgumentMissingError(
            "No key given.",
            "Give --key ID of a key in a Key Vault, or --key-file KEY.pem --certificate-file CHAIN.pem.",
        )
    if namespace.key_file and not namespace.certificate_file:
        raise RequiredArgumentMissingError(
            "A key needs its certificate.", "Give --certificate-file CHAIN.pem: the certificate first, the root last."
        )


def _validate_trust(namespace: Namespace) -> None:
    """Require the certificates that make an identity worth something."""
    if namespace.trusted_identity and not namespace.certificate_file:
        raise RequiredArgumentMissingError(
            "--trusted-identity needs --certificate-file.", "Give the root that issued its certificate."
        )


def gather_registry(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Check the arguments that name a registry and sign in, and gather them into one object each. REFERENCE may name a
    repository for a command that takes `repositories`."""
    from .cli import arguments

    _require_plain_names(namespace)
    _require_one_registry(cmd, namespace)
    _split_reference(namespace)
    namespace.registry_name = namespace.registry_name or _default_registry(cmd)
    if not namespace.registry_name:
        raise RequiredArgumentMissingError(_NO_REGISTRY, _GIVE_REGISTRY)
    if not getattr(namespace, "repositories", True):
        raise RequiredArgumentMissingError(
            "No repository given.", "Write SERVER/REPOSITORY, or give --repository REPOSITORY."
        )
    if hasattr(namespace, "username"):
        _validate_credentials(namespace)
    arguments.gather_registry(namespace)


def _split_reference(namespace: Namespace) -> None:
    """Move the registry, and the repository if there is one, out of *namespace*.artifact."""
    reference = namespace.artifact or ""
    first, slash, repository = reference.partition("/")
    if slash and not is_server(first):
        first, repository = "", reference
    if not hasattr(namespace, "repositories") and repository:
        raise InvalidArgumentValueError("A sign-in is for a whole registry.", "Give the login server alone.")
    if repository and namespace.repositories:
        raise _exclusive("REFERENCE with a repository", "--repository")
    if repository:
        namespace.repositories = [repository]
    _take_registry(namespace, first)


def gather_repository(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Do the same as `gather_artifact` for a command that may take a repository: --repository is an image without a
    tag."""
    from .cli import arguments

    _require_plain_names(namespace)
    repository = _take_repository(namespace)
    namespace.registry_name = namespace.registry_name or _default_registry(cmd)
    if hasattr(namespace, "image") and not repository:
        _require_version(namespace.artifact or namespace.image)
        gather_artifact(cmd, namespace)
        return
    if not namespace.artifact and not namespace.registry_name:
        raise RequiredArgumentMissingError(_NO_REGISTRY, _GIVE_REGISTRY)
    namespace.image = repository
    _validate_credentials(namespace)
    arguments.gather_artifact_and_login(namespace)


def gather_whole(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Do the same as `gather_artifact` for a command that may take all of a repository: --repository is an image
    without a tag."""
    _require_plain_names(namespace)
    namespace.image = _take_repository(namespace) or namespace.image
    gather_artifact(cmd, namespace)


def _require_plain_names(namespace: Namespace) -> None:
    """Replace each name in *namespace* by its plain form."""
    for name in ("artifact", "registry_name", "image", "repository", "to", "to_name"):
        if typed := getattr(namespace, name, None):
            setattr(namespace, name, plain_name(typed))
    if repositories := getattr(namespace, "repositories", None):
        namespace.repositories = [plain_name(typed) for typed in repositories]


def _take_repository(namespace: Namespace) -> str | None:
    """Remove --repository from *namespace* and return it. REFERENCE may name the registry beside it, nothing else."""
    repository: str | None = namespace.repository
    del namespace.repository
    if repository and namespace.artifact and "/" not in namespace.artifact:
        _take_registry(namespace, namespace.artifact)
        namespace.artifact = None
    if repository and (getattr(namespace, "image", None) or namespace.artifact):
        raise _exclusive("--repository", "REFERENCE or --image")
    return repository


def _take_registry(namespace: Namespace, registry: str) -> None:
    """Let *registry*, from REFERENCE, be the registry, which --name may repeat."""
    given = namespace.registry_name
    if registry and given and not (is_same_registry(given, registry) or is_same_registry(registry, given)):
        raise MutuallyExclusiveArgumentError(_TWO_REGISTRIES, "Give one of them.")
    namespace.registry_name = registry or given


def _exclusive(first: str, second: str) -> MutuallyExclusiveArgumentError:
    return MutuallyExclusiveArgumentError(f"{first} and {second} exclude each other.", "Give one of them.")


def _default_registry(cmd: AzCliCommand) -> str | None:
    from .cli.context import CommandContext

    return CommandContext(cmd).setting("defaults", "acr") or None


def _require_version(named: str | None) -> None:
    """Require a tag or digest: a forgotten tag must not mean the whole repository
    (https://github.com/Azure/azure-cli/issues/31878)."""
    last = (named or ":").rpartition("/")[2]
    if ":" not in last and "@" not in last:
        raise RequiredArgumentMissingError(
            "No tag or digest given.", "Give one. For the whole repository, give --name and --repository."
        )


def _validate_artifact(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Require the artifact once: as REFERENCE, or as --image with --name (or `az configure --defaults acr=`)."""
    if namespace.artifact and namespace.image:
        raise _exclusive("REFERENCE", "--image")
    if namespace.image and _names_server(cmd, namespace):
        namespace.artifact, namespace.image = namespace.image, None
    _require_one_registry(cmd, namespace)
    if not namespace.artifact and not namespace.image:
        raise RequiredArgumentMissingError(
            "No artifact given.", "Write SERVER/REPOSITORY:TAG, or give --name REGISTRY --image REPOSITORY:TAG."
        )
    if namespace.image and not namespace.registry_name:
        raise RequiredArgumentMissingError(_NO_REGISTRY, _GIVE_REGISTRY)
    if namespace.artifact and not namespace.registry_name and os.path.lexists(namespace.artifact):
        raise RequiredArgumentMissingError(
            f"No artifact given: {namespace.artifact} is a file or folder.", "Write SERVER/REPOSITORY:TAG before it."
        )


def _names_server(cmd: AzCliCommand, namespace: Namespace) -> bool:
    """Return whether --image begins with a login server. A repository may begin with a name that looks like one."""
    from .cli.context import CommandContext

    first, slash, _ = namespace.image.lower().partition("/")
    if not slash or not is_server(first):
        return False
    registry, suffix = (namespace.registry_name or "").lower(), CommandContext(cmd).registry_suffix
    return not registry or first == registry or ":" in first or bool(suffix and first.endswith(suffix))


def _require_one_registry(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Refuse --name beside a reference with another server; a configured default does not count."""
    server, registry = (namespace.artifact or "").partition("/")[0], namespace.registry_name or ""
    if "." not in server or not registry or registry.lower() == (_default_registry(cmd) or "").lower():
        return
    if not is_same_registry(registry, server):
        raise MutuallyExclusiveArgumentError(_TWO_REGISTRIES, "Give the server in one of them.")


def _validate_credentials(namespace: Namespace, prefix: str = "") -> None:
    """Require a user name with a password, and a password from one source."""
    username, password, from_stdin, auth_mode = (getattr(namespace, prefix + name) for name in OF_LOGIN)
    dashes = "--" + prefix.replace("_", "-")
    if password is not None and from_stdin:
        raise _exclusive(f"{dashes}password", f"{dashes}password-stdin")
    if username is None and (password is not None or from_stdin):
        raise RequiredArgumentMissingError("A password needs a user name.", f"Give {dashes}username as well.")
    if username is not None and auth_mode is not None:
        raise _exclusive(f"{dashes}username", f"{dashes}auth-mode")


def _validate_stdin(namespace: Namespace) -> None:
    """Refuse to read both a file and the password from standard input."""
    from_stdin = any(text == "-" or text.startswith("-:") for text in namespace.files or [])
    if from_stdin and namespace.login.password_stdin:
        raise MutuallyExclusiveArgumentError(
            "Standard input cannot be both the password and a file.", "Give the path of the file, or use --password."
        )


def _validate_target(namespace: Namespace) -> None:
    """Check the target's sign-in as the source's, and require its registry once: REPOSITORY alone must not mean a
    registry of that name."""
    _validate_credentials(namespace, "to_")
    if namespace.to_password_stdin and namespace.login.password_stdin:
        raise MutuallyExclusiveArgumentError(
            "Standard input cannot be both passwords.", "Give one of them otherwise, or use --to-auth-mode."
        )
    first, slash, _ = namespace.to.partition("/")
    has_server = bool(slash) and is_server(first)
    if has_server and namespace.to_name and not is_same_registry(namespace.to_name, first):
        raise _exclusive("--to with a server", "--to-name")
    if has_server:
        namespace.to_name = None
    if not has_server and not namespace.to_name:
        raise RequiredArgumentMissingError(
            "No target registry given.", f"Write {_with_source_server(namespace)}, or give --to-name REGISTRY."
        )


def _with_source_server(namespace: Namespace) -> str:
    """Return --to with the server of the source, if that was typed."""
    server, slash, _ = (namespace.artifact.reference or "").partition("/")
    return f"--to {server}/{namespace.to}" if slash and is_server(server) else "--to SERVER/REPOSITORY:TAG"


def validate_raw(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Refuse options about the JSON result beside --raw, which writes the manifest instead."""
    if namespace.raw_manifest:
        _require_no_format(cmd, "--raw")
    if namespace.raw_manifest and namespace.detail:
        raise _exclusive("--raw", "--detail")


def _require_no_format(cmd: AzCliCommand, option: str) -> None:
    """Refuse --query, and an --output other than JSON, which would not be obeyed."""
    data = cmd.cli_ctx.data.get("safe_params") or []
    if "--query" in data:
        raise _exclusive(option, "--query")
    if {"--output", "-o"} & set(data) and not cmd.cli_ctx.invocation.data["output"].startswith("json"):
        raise _exclusive(option, "--output")


def validate_stdout(cmd: AzCliCommand, namespace: Namespace) -> None:
    """Refuse options about files and about the JSON result beside --stdout, which writes neither."""
    if namespace.stdout:
        _require_no_format(cmd, "--stdout")
    given = {
        "--check": namespace.check,
        "--check-extra": namespace.check_extra,
        "--destination": namespace.destination,
        "--no-overwrite": namespace.no_overwrite,
        "--manifest-config": namespace.manifest_config,
    }
    wrong = [option for option, value in given.items() if value]
    if namespace.stdout and wrong:
        raise _exclusive("--stdout", wrong[0])


def validate_rate(namespace: Namespace) -> None:
    """Require a rate that lets bytes pass."""
    rate = namespace.cap_mbps
    if rate is not None and not 0 < rate < float("inf"):
        raise InvalidArgumentValueError(
            "--cap-mbps must be a number above 0, such as 50 or 0.5.", "Leave it out for no limit."
        )


def validate_sizes(namespace: Namespace) -> None:
    """Require positive counts and sizes."""
    for name in ("concurrency", "top", "max_unpacked_size"):
        value = getattr(namespace, name, None)
        if value is not None and value < 1:
            option = "--" + name.replace("_", "-")
            raise InvalidArgumentValueError(f"{option} must be at least 1.", "Leave it out for the default.")
    if (getattr(namespace, "keep", None) or 0) < 0:
        raise InvalidArgumentValueError("--keep must be at least 0.", "Leave it out to keep none.")
