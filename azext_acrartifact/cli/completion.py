"""Tab completion of registries, repositories and tags, by Azure CLI's own completers. Nothing heavy is imported until
Tab is pressed."""

from __future__ import annotations

from argparse import Namespace

from azure.cli.core.commands import AzCliCommand
from azure.cli.core.decorators import Completer


def _complete(kind: str) -> Completer:
    """Return the completer of Azure CLI for texts of *kind*, a function of `suggestions`."""

    def complete(cmd: AzCliCommand, prefix: str, namespace: Namespace) -> list[str]:
        from . import suggestions

        return suggestions.in_time(getattr(suggestions, kind), suggestions.Typed(cmd, prefix, vars(namespace)))

    return Completer(complete)


REGISTRY = _complete("registries")
"""Completes the name of a registry."""
SERVER = _complete("servers")
"""Completes a login server."""
IMAGE = _complete("images")
"""Completes REPOSITORY:TAG in the registry that was typed before."""
REPOSITORY = _complete("repositories")
"""Completes a repository of the registry that was typed before."""
REFERENCE = _complete("references")
"""Completes SERVER/REPOSITORY:TAG."""
REPOSITORY_REFERENCE = _complete("repository_references")
"""Completes SERVER/REPOSITORY, and a tag after a colon."""
TARGET = _complete("targets")
"""Completes the target of a copy."""
