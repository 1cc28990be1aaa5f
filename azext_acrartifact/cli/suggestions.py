"""What may follow on the command line, as the registry and Azure Resource Manager list it.

A shell waits for it while somebody types, and shows whatever is printed. So nothing is asked and nothing is printed,
and there are no suggestions without a sign-in, after an error, and when the list takes longer than a moment.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from typing import Any

from azure.cli.core.commands import AzCliCommand

from .._client_factory import find_server, http_client, open_registry
from ..errors import InvalidInputError
from ..oci.registry import Registry
from ..transfer.progress import Progress
from .argument_names import is_server
from .arguments import LoginArgument, RegistryArgument
from .context import COMPLETION, CommandContext
from .identity import arm
from .identity.auth_mode import mode_of
from .naming import name_registry


@dataclass(frozen=True)
class Typed:
    """The text to complete, *prefix*, and the *arguments* before it."""

    cmd: AzCliCommand
    prefix: str
    arguments: Mapping[str, Any]

    def argument(self, name: str) -> Any:
        """Return an argument that was typed before, or None."""
        return self.arguments.get(name)


def in_time(find: Callable[[Typed], Iterable[str]], typed: Typed) -> list[str]:
    """Return what *find* yields for *typed*; nothing if it fails or takes longer than the setting allows. Of an
    incomplete list, the shell would complete a beginning that the missing names may not have."""
    try:
        longest = _context(typed).number(*COMPLETION)
    except InvalidInputError:
        return []
    level = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        # Its end is not waited for: a completion ends with os._exit.
        search = ThreadPoolExecutor(1, "acrartifact-completion").submit(lambda: list(find(typed)))
        done, _ = wait([search], longest)
        return search.result() if done and search.exception() is None else []
    finally:
        logging.disable(level)


def registries(typed: Typed) -> Iterator[str]:
    """Yield the names of the registries in the subscription."""
    return (found.name for found in arm.listed_registries(_context(typed)))


def servers(typed: Typed) -> Iterator[str]:
    """Yield the login servers of the registries in the subscription."""
    return (found.login_server for found in arm.listed_registries(_context(typed)))


def repositories(typed: Typed) -> Iterator[str]:
    """Yield the repositories that begin with the prefix, in the registry that was typed before."""
    return _repositories(_registry(typed, _named_registry(typed)), typed.prefix)


def images(typed: Typed) -> Iterator[str]:
    """Yield the repositories that begin with the prefix, each with a colon, or after a colon the tags."""
    return _versions(_registry(typed, _named_registry(typed)), typed.prefix, ":")


def references(typed: Typed) -> Iterator[str]:
    """Yield the login servers with a slash; after a slash, the same as `images`."""
    return _references(typed, ":")


def repository_references(typed: Typed) -> Iterator[str]:
    """Yield the same as `references`, with repositories that need no tag."""
    return _references(typed, "")


def targets(typed: Typed) -> Iterator[str]:
    """Yield the same as `references` or, with --to-name, as `images` in that registry."""
    name = typed.argument("to_name")
    login = {key: typed.argument(f"to_{key}") for key in ("username", "password", "auth_mode")}
    typed = replace(typed, arguments={**login, "_subscription": typed.argument("_subscription")})
    return _versions(_registry(typed, name), typed.prefix, ":") if name else _references(typed, ":")


def _references(typed: Typed, end: str) -> Iterator[str]:
    server, slash, prefix = typed.prefix.partition("/")
    if not slash:
        return (f"{found}/" for found in servers(typed))
    if not is_server(server):
        return iter(())
    return (f"{server}/{found}" for found in _versions(_registry(typed, server), prefix, end))


def _versions(registry: Registry, prefix: str, end: str) -> Iterator[str]:
    repository, colon, start = prefix.partition(":")
    if not colon:
        return (f"{found}{end}" for found in _repositories(registry, repository))
    tags = (str(tag["name"]) for tag in registry.metadata.tags(repository, start[:-1]))
    return (f"{repository}:{tag}" for tag in beginning_with(tags, start))


def _repositories(registry: Registry, prefix: str) -> Iterator[str]:
    return beginning_with(registry.metadata.repositories(prefix[:-1]), prefix)


def beginning_with(names: Iterable[str], prefix: str) -> Iterator[str]:
    """Yield those of *names* that begin with *prefix*. They are sorted, so that the rest need not be read."""
    for name in names:
        if name.startswith(prefix):
            yield name
        elif name > prefix:
            return


def _named_registry(typed: Typed) -> str:
    reference = str(typed.argument("artifact") or "")
    default = _context(typed).setting("defaults", "acr")
    return typed.argument("registry_name") or reference.partition("/")[0] or default


def _registry(typed: Typed, name: str) -> Registry:
    """Return the registry *name*, opened with the sign-in that was typed, or else with the Azure CLI's login: another
    source might ask, or take long."""
    cmd = _context(typed)
    login = LoginArgument(
        typed.argument("username"), typed.argument("password") or "", auth_mode=typed.argument("auth_mode")
    )
    if login.username is None and mode_of(cmd, login) == "auto":
        login = replace(login, auth_mode="login")
    http = http_client(cmd, Progress())
    named = name_registry(cmd, RegistryArgument(name, typed.argument("suffix")))
    return open_registry(cmd, find_server(cmd, named, http), login, http)


def _context(typed: Typed) -> CommandContext:
    typed.cmd.cli_ctx.data["subscription_id"] = typed.argument("_subscription")
    return CommandContext(typed.cmd)
