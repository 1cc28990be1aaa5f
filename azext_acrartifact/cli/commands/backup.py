"""The commands `backup` and `restore`, which save artifacts to OCI image layouts on the disk and read them back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._exception_handler import command
from ..arguments import ArtifactArgument, LoginArgument, TrustArgument
from ..context import CommandContext

if TYPE_CHECKING:
    from ...operations.backup import LayoutResult
    from ..session import Session


@command
def backup(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    destination: str,
    tags: list[str] | None = None,
    recursive: bool = False,
    dry_run: bool = False,
    concurrency: int | None = None,
    trust: TrustArgument | None = None,
) -> dict[str, Any]:
    """Save artifacts to an OCI image layout."""
    from ...operations.backup import BackupOrder
    from ...operations.backup import backup as run
    from ..import_path import distrust
    from ..local_paths import require_layout
    from ..naming import check_tags, name_artifact
    from ..output.json_copy import backup_output
    from ..session import open_session
    from ..signing import Verification

    verification = Verification(cmd, trust)
    distrust(destination)
    require_layout(destination, "exists and is no OCI layout", "Choose another name.")
    named = name_artifact(cmd, artifact)
    checked, concurrency = check_tags(tags), cmd.concurrency(concurrency)
    order = BackupOrder(named.reference, destination, checked, recursive, dry_run, concurrency)
    with open_session(cmd, named, login) as session:
        order = replace(order, reference=session.reference, require=verification.required(session))
        result = run(session.registry, order, session.progress)
        if not dry_run:
            _report(session, "Saved", result.path, result)
    return backup_output(result)


@command
def restore(
    cmd: CommandContext,
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
    from ...oci.reference import check_version
    from ...operations.restore import RestoreOrder
    from ...operations.restore import restore as run
    from ..local_paths import require_layout
    from ..naming import check_tags, name_artifact
    from ..output.json_copy import restore_output
    from ..session import open_session

    require_layout(source, "is no OCI layout", "Name a folder or .tar that a backup has written.")
    named = name_artifact(cmd, artifact)
    order = RestoreOrder(
        named.reference,
        source,
        check_version(source_tag) if source_tag else None,
        check_tags(tags),
        recursive,
        overwrite=not no_overwrite,
        dry_run=dry_run,
        concurrency=cmd.concurrency(concurrency),
        sessions_folder=cmd.uploads_folder,
    )
    with open_session(cmd, named, login) as session:
        result = run(session.registry, replace(order, reference=session.reference), session.progress)
        if not dry_run:
            _report(session, "Restored", str(result.reference), result)
    return restore_output(result)


def _report(session: Session, verb: str, target: str, result: LayoutResult) -> None:
    items = result.items
    session.progress.note(f"{verb:11} {target} (manifests: {len(items.manifests)}, blobs: {len(items.blobs)})")
