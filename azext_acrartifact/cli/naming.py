"""From the arguments that name an artifact or a registry to a reference. Nothing here makes a request."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..errors import InvalidReferenceError, UnresolvedHostError, restated
from ..oci.reference import (
    Reference,
    check_server,
    check_tag,
    is_registry_name,
    is_tag,
    parse_image,
    parse_reference,
    require_filled,
)
from .argument_names import is_server, plain_name
from .arguments import ArtifactArgument, RegistryArgument
from .context import CommandContext


@dataclass(frozen=True)
class NamedReference:
    """A reference as the user named it; a registry alone has an empty repository. *guessed_from* is the registry's name
    if only that was typed: the login server, the name with the cloud's suffix, may then be another registry's."""

    reference: Reference
    guessed_from: str | None = None


def name_artifact(cmd: CommandContext, artifact: ArtifactArgument) -> NamedReference:
    """Return the artifact that the arguments name. A bare registry name gets the cloud's suffix, a login server stays
    as it is. Raises `InvalidReferenceError`."""
    reference, registry = artifact.reference, artifact.registry
    if reference and not (registry and _has_no_server(reference)):
        return NamedReference(parse_reference(reference))
    server, guessed_from = _server(cmd, registry or "", artifact.suffix)
    return NamedReference(parse_image(artifact.image or reference or "", server), guessed_from)


def name_repository(cmd: CommandContext, artifact: ArtifactArgument) -> NamedReference:
    """Return the registry or repository that the arguments name. Raises `InvalidReferenceError`."""
    reference = artifact.reference or ""
    if reference and "/" not in reference:
        with explaining_registry(reference):
            return name_registry(cmd, RegistryArgument(reference, artifact.suffix))
    elif reference or artifact.image:
        return name_artifact(cmd, artifact)
    return name_registry(cmd, RegistryArgument(artifact.registry or "", artifact.suffix))


def name_registry(cmd: CommandContext, registry: RegistryArgument) -> NamedReference:
    """Return the registry that the arguments name. Raises `InvalidReferenceError`."""
    server, guessed_from = _server(cmd, registry.name, registry.suffix)
    return NamedReference(Reference(server, ""), guessed_from)


def check_repository(text: str) -> str:
    """Return *text* if it is the name of a repository; raises `InvalidReferenceError`."""
    reference = parse_image(text, "registry.azurecr.io")
    if reference.version is not None:
        raise InvalidReferenceError("Not a repository", where=text, hint="Leave out its tag and digest.")
    return reference.repository


@contextmanager
def explaining_registry(typed: str | None) -> Iterator[None]:
    """Make the errors of the block say that *typed*, if given, was taken as a registry and not as a repository."""
    try:
        yield
    except (InvalidReferenceError, UnresolvedHostError) as error:
        if not typed or "/" in typed or is_server(typed):
            raise
        hint = f"'{typed}' was taken as a registry. For a repository of your registry: --repository {typed}"
        raise restated(error, hint=hint) from error


def check_tags(typed: Iterable[str] | None) -> list[str]:
    """Return the tags of --tags, each once. Raises `InvalidReferenceError` for a text that is no tag."""
    return list(dict.fromkeys(_checked_tag(plain_name(text)) for text in typed or ()))


def _checked_tag(text: str) -> str:
    several = text.replace(";", " ").replace(",", " ").split()
    last = text.rpartition("/")[2].rpartition(":")[2]
    if len(several) > 1 and all(map(is_tag, several)):
        hint = f"Separate tags by spaces: --tags {' '.join(several)}"
        raise InvalidReferenceError("Not a tag", where=text, why="it holds a comma or a space", hint=hint)
    if ("/" in text or ":" in text) and is_tag(last):
        hint = f"--tags takes the names of tags only: --tags {last}"
        raise InvalidReferenceError("Not a tag", where=text, why="it is a reference", hint=hint)
    require_filled(text)
    return check_tag(text)


def _has_no_server(reference: str) -> bool:
    first, slash, _ = reference.partition("/")
    return not slash or not is_server(first)


def _server(cmd: CommandContext, registry: str, suffix: str | None) -> tuple[str, str | None]:
    """Return the login server of *registry*, and the name from which it was guessed, if it was.

    A name with its hash is no guess: Azure computes the hash, so nobody else can choose it.
    """
    if "." in registry or ":" in registry:
        return check_server(registry), None
    if not is_registry_name(registry):
        raise InvalidReferenceError(
            "Not a registry",
            where=registry,
            why="a name is 5 to 50 letters and digits",
            hint="Give its name (myregistry) or its login server (myregistry.azurecr.io).",
        )
    if cmd.registry_suffix is None:
        raise InvalidReferenceError(
            "The cloud has no suffix for registries",
            where=cmd.cloud,
            hint="Give the registry's login server instead of its name.",
        )
    label = f"{registry}-{suffix}" if suffix else registry
    return check_server(label.lower() + cmd.registry_suffix), None if "-" in label else registry
