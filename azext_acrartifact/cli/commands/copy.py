"""The command `copy`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._exception_handler import command
from ..arguments import ArtifactArgument, LoginArgument, TargetArgument
from ..context import CommandContext


@command
def copy(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    target: TargetArgument,
    tags: list[str] | None = None,
    recursive: bool = False,
    platform: str | None = None,
    dry_run: bool = False,
    no_overwrite: bool = False,
    concurrency: int | None = None,
) -> dict[str, Any]:
    """Copy an artifact to another repository or registry."""
    from ...operations.copy import CopyOrder, Registries
    from ...operations.copy import copy as run
    from ...operations.platforms import parse_platform
    from ..arm_import import importer_for
    from ..naming import check_tags, name_artifact
    from ..output.json_copy import copy_output
    from ..session import open_copy_sessions

    named, target_named = name_artifact(cmd, artifact), name_artifact(cmd, _as_artifact(target))
    order = CopyOrder(
        named.reference,
        target_named.reference,
        check_tags(tags),
        recursive,
        parse_platform(platform) if platform else None,
        overwrite=not no_overwrite,
        dry_run=dry_run,
        concurrency=cmd.concurrency(concurrency),
        sessions_folder=cmd.uploads_folder,
    )
    with open_copy_sessions(cmd, (named, login), (target_named, target.login)) as (origin, end):
        order = replace(order, source=origin.reference, target=end.reference)
        result = run(Registries(origin.registry, end.registry, importer_for(cmd, origin, end)), order, end.progress)
        end.report("Would copy" if dry_run else "Copied", result.reference, result.manifest.digest)
        end.progress.note(f"{'Way:':11} {result.way}")
    return copy_output(result)


def _as_artifact(target: TargetArgument) -> ArtifactArgument:
    if target.registry:
        return ArtifactArgument(None, target.registry, target.reference, None)
    return ArtifactArgument(target.reference, None, None, None)
