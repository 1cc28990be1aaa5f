"""What every command does around its operation: names the artifact, signs in, opens the registry."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Callable
from typing import Any, TypeVar

from .arguments import ArtifactArgument, LoginArgument

_Result = TypeVar("_Result")


def at_registry(
    cmd: Any, artifact: ArtifactArgument, login: LoginArgument, action: Callable[[Any, Any], _Result]
) -> _Result:
    """Run *action* on the registry and the reference that *artifact* names."""
    from .. import _client_factory as factory
    from .output.progress import progress_for

    named = factory.name_artifact(cmd, artifact)
    with contextlib.closing(progress_for(cmd.cli_ctx)) as progress:
        return factory.with_registry(cmd, named, signed_in(login), progress, action)


def at_place(
    cmd: Any, artifact: ArtifactArgument, login: LoginArgument, action: Callable[[Any, Any], _Result]
) -> _Result:
    """The same, for a registry or repository; the reference of a registry alone has an empty repository."""
    from .. import _client_factory as factory
    from .output.progress import progress_for

    named = factory.name_place(cmd, artifact)
    return factory.with_registry(cmd, named, signed_in(login), progress_for(cmd.cli_ctx), action)


def transfer(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    order: Callable[[Any], Any],
    run: Callable[[Any, Any, Any], Any],
    verb: str,
) -> Any:
    """Run a push or pull with its progress shown, and what it made named at the end."""

    def named(registry: Any, ordered: Any, progress: Any) -> Any:
        result = run(registry, ordered, progress)
        progress.note(f"{verb:11} {result.reference}")
        progress.note(f"{'Digest:':11} {result.manifest.digest}")
        return result

    return carry_out(cmd, artifact, login, order, named)


def carry_out(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    order: Callable[[Any], Any],
    run: Callable[[Any, Any, Any], _Result],
) -> _Result:
    """Run an operation with its progress shown; *order* makes its order for a reference."""
    from .. import _client_factory as factory
    from .output.progress import progress_for

    named = factory.name_artifact(cmd, artifact)
    order(named.reference)  # what is wrong with the arguments is said before anything is asked for
    with contextlib.closing(progress_for(cmd.cli_ctx)) as progress:
        return factory.with_registry(
            cmd, named, signed_in(login), progress, lambda registry, found: run(registry, order(found), progress)
        )


def signed_in(login: LoginArgument) -> LoginArgument:
    """The sign-in with its password; a missing one is read, or asked for on a terminal alone."""
    from dataclasses import replace

    if login.username is None or login.password is not None:
        return login
    if login.password_stdin:
        return replace(login, password=sys.stdin.readline().rstrip("\r\n"))
    from .output.confirm import ask_password

    return replace(login, password=ask_password(login.username))


def concurrency_of(cmd: Any, asked: int | None) -> int | None:
    """The user's own number; None to adapt to the line."""
    return asked or int(cmd.cli_ctx.config.getint("acrartifact", "concurrency", fallback=0)) or None


def journal_folder(cmd: Any) -> str:
    """Where uploads under way are kept."""
    return os.path.join(cmd.cli_ctx.config.config_dir, "acrartifact", "uploads")
