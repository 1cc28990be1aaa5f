"""What each command does: arguments to an order, a result to JSON. The work is in `operations`."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Any

from ._arguments import ArtifactArgument, LoginArgument
from ._exception_handler import reports


@reports
def push(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    files: list[str] | None = None,
    artifact_type: str | None = None,
    manifest_config: str | None = None,
    media_type: str | None = None,
    annotations: list[str] | None = None,
    annotation_file: str | None = None,
    image_spec: str | None = None,
    tags: list[str] | None = None,
    exclude: list[str] | None = None,
    empty: bool = False,
    compression: str = "gzip",
    concurrency: int | None = None,
) -> dict[str, Any]:
    """Push files and folders as an artifact."""
    from ._output import push_output
    from .oci.reference import Reference, check_tag
    from .operations.annotations import collect_annotations
    from .operations.filespec import parse_file_spec
    from .operations.push import PushOrder
    from .operations.push import push as run

    def order(reference: Reference) -> PushOrder:
        return PushOrder(
            reference,
            [parse_file_spec(text) for text in files or []],
            config=parse_file_spec(manifest_config) if manifest_config else None,
            artifact_type=artifact_type,
            media_type=media_type,
            image_spec=image_spec,
            annotations=collect_annotations(annotations or [], annotation_file),
            tags=[check_tag(tag) for tag in tags or []],
            exclude=exclude or [],
            allow_empty=empty,
            compression=compression,
            concurrency=_concurrency(cmd, concurrency),
            journal_folder=_journal_folder(cmd),
        )

    return push_output(_transfer(cmd, artifact, login, order, run, "Pushed"))


@reports
def pull(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    destination: str | None = None,
    media_type: list[str] | None = None,
    include: list[str] | None = None,
    exclude: list[str] | None = None,
    manifest_config: str | None = None,
    max_unpacked_size: int | None = None,
    concurrency: int | None = None,
) -> dict[str, Any]:
    """Pull an artifact's files and folders."""
    from ._output import pull_output
    from .files.globs import Selection
    from .oci.reference import Reference
    from .operations.pull import PullOrder
    from .operations.pull import pull as run

    def order(reference: Reference) -> PullOrder:
        return PullOrder(
            reference,
            destination or os.curdir,
            Selection.of(include or [], exclude or [], media_type or []),
            config_path=manifest_config,
            max_unpacked_size=max_unpacked_size,
            concurrency=_concurrency(cmd, concurrency),
        )

    return pull_output(_transfer(cmd, artifact, login, order, run, "Pulled"))


@reports
def show(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    raw_manifest: bool = False,
) -> dict[str, Any] | None:
    """Show what an artifact is."""
    from . import _client_factory as factory
    from ._output import show_output
    from .operations.show import show as run
    from .operations.show import show_raw
    from .transfer.progress import Progress

    named = factory.name_artifact(cmd, artifact)
    if raw_manifest:
        sys.stdout.buffer.write(factory.with_registry(cmd, named, _login(login), Progress(), show_raw))
        sys.stdout.buffer.flush()
        return None
    return show_output(factory.with_registry(cmd, named, _login(login), Progress(), run))


@reports
def delete(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    yes: bool = False,
) -> None:
    """Delete an artifact, all its tags and what is attached to it."""
    from . import _client_factory as factory
    from ._confirm import confirm
    from .operations.delete import delete as run
    from .operations.delete import plan_delete
    from .transfer.progress import Progress

    named = factory.name_artifact(cmd, artifact)

    def act(registry: Any, found: Any) -> None:
        deletion = plan_delete(registry, found)
        confirm(cmd, deletion, yes)
        run(registry, deletion)

    factory.with_registry(cmd, named, _login(login), Progress(), act)


def _transfer(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    order: Callable[[Any], Any],
    run: Callable[[Any, Any, Any], Any],
    verb: str,
) -> Any:
    """Run a push or pull with its progress shown; *order* makes its order for a reference."""
    from . import _client_factory as factory
    from ._progress import progress_for

    named = factory.name_artifact(cmd, artifact)
    order(named.reference)  # what is wrong with the arguments is said before anything is asked for
    progress = progress_for(cmd.cli_ctx)
    result = factory.with_registry(
        cmd, named, _login(login), progress, lambda registry, found: run(registry, order(found), progress)
    )
    progress.note(f"{verb:11} {result.reference}")
    progress.note(f"{'Digest':11} {result.manifest.digest}")
    return result


def _login(login: LoginArgument) -> LoginArgument:
    """The sign-in with its password; a missing one is read, or asked for on a terminal alone."""
    from dataclasses import replace

    if login.username is None or login.password is not None:
        return login
    if login.password_stdin:
        return replace(login, password=sys.stdin.readline().rstrip("\r\n"))
    from ._confirm import ask_password

    return replace(login, password=ask_password(login.username))


def _concurrency(cmd: Any, asked: int | None) -> int | None:
    """The user's own number; None to adapt to the line."""
    return asked or int(cmd.cli_ctx.config.getint("acrartifact", "concurrency", fallback=0)) or None


def _journal_folder(cmd: Any) -> str:
    return os.path.join(cmd.cli_ctx.config.config_dir, "acrartifact", "uploads")
