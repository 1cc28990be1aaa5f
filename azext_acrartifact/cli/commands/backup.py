"""The commands that save artifacts to OCI image layouts on the disk, and bring them back: backup, restore."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from ..._exception_handler import reports
from ..arguments import ArtifactArgument, LoginArgument
from ..session import concurrency_of, journal_folder, signed_in


@reports
def backup(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    destination: str,
    tags: list[str] | None = None,
    recursive: bool = False,
    dry_run: bool = False,
    concurrency: int | None = None,
) -> dict[str, Any]:
    """Save artifacts to an OCI image layout."""
    from ...oci.reference import check_tag
    from ...operations.backup import BackupOrder
    from ...operations.backup import backup as run
    from ..output.json_backup import backup_output

    def act(registry: Any, reference: Any, progress: Any) -> Any:
        checked = [check_tag(tag) for tag in tags or []]
        size = concurrency_of(cmd, concurrency)
        return run(registry, BackupOrder(reference, destination, checked, recursive, dry_run, size), progress)

    return backup_output(_transfer(cmd, artifact, login, act, "" if dry_run else "Saved"))


@reports
def restore(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    source: str,
    source_tag: str | None = None,
    tags: list[str] | None = None,
    recursive: bool = False,
    no_overwrite: bool = False,
    dry_run: bool = False,
    concurrency: int | None = None,
) -> dict[str, Any]:
    """Restore artifacts from an OCI image layout."""
    from ...oci.reference import check_tag, check_version
    from ...operations.restore import RestoreOrder
    from ...operations.restore import restore as run
    from ..output.json_backup import restore_output

    def act(registry: Any, reference: Any, progress: Any) -> Any:
        order = RestoreOrder(
            reference,
            source,
            check_version(source_tag) if source_tag else None,
            [check_tag(tag) for tag in tags or []],
            recursive,
            overwrite=not no_overwrite,
            dry_run=dry_run,
            concurrency=concurrency_of(cmd, concurrency),
            journal_folder=journal_folder(cmd),
        )
        return run(registry, order, progress)

    return restore_output(_transfer(cmd, artifact, login, act, "" if dry_run else "Restored"))


def _transfer(
    cmd: Any, artifact: ArtifactArgument, login: LoginArgument, act: Callable[[Any, Any, Any], Any], verb: str
) -> Any:
    """Run *act* with its progress shown, and say at last what it has done."""
    from ... import _client_factory as factory
    from ..output.progress import progress_for

    named = factory.name_artifact(cmd, artifact)
    with contextlib.closing(progress_for(cmd.cli_ctx)) as progress:
        result = factory.with_registry(
            cmd, named, signed_in(login), progress, lambda registry, found: act(registry, found, progress)
        )
        if verb:
            items = result.items
            place = result.reference if verb == "Restored" else result.path
            progress.note(f"{verb:11} {place} (manifests: {len(items.manifests)}, blobs: {len(items.blobs)})")
    return result
