"""The command `copy`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..._exception_handler import command
from ..arguments import ArtifactArgument, LoginArgument, TargetArgument, TrustArgument
from ..context import CommandContext

if TYPE_CHECKING:
    from ...operations.copy import CopyOrder, CopyResult
    from ..naming import NamedReference
    from ..signing import Verification


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
    trust: TrustArgument | None = None,
) -> dict[str, Any]:
    """Copy an artifact to another repository or registry."""
    from ...operations.copy import CopyOrder
    from ...operations.platforms import parse_platform
    from ..naming import check_tags, name_artifact
    from ..output.json_copy import copy_output
    from ..signing import Verification

    verification = Verification(cmd, trust)
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
    return copy_output(_copy(cmd, (named, login), (target_named, target.login), order, verification))


def _copy(
    cmd: CommandContext,
    source: tuple[NamedReference, LoginArgument],
    target: tuple[NamedReference, LoginArgument | None],
    order: CopyOrder,
    verification: Verification,
) -> CopyResult:
    from ...operations.copy import Registries
    from ...operations.copy import copy as run
    from ..arm_import import importer_for
    from ..session import open_copy_sessions

    with open_copy_sessions(cmd, source, target) as (origin, end):
        order = replace(order, source=verification.of(origin), target=end.reference)
        result = run(Registries(origin.registry, end.registry, importer_for(cmd, origin, end)), order, end.progress)
        end.report("Would copy" if order.dry_run else "Copied", result.reference, result.manifest.digest)
        end.progress.note(f"{'Way:':11} {result.way}")
    return result


def _as_artifact(target: TargetArgument) -> ArtifactArgument:
    if target.registry:
        return ArtifactArgument(None, target.registry, target.reference, None)
    return ArtifactArgument(target.reference, None, None, None)
