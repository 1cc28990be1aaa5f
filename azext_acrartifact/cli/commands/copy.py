"""The command `copy`, which has two ends."""

from __future__ import annotations

import contextlib
import functools
from typing import Any

from ..._exception_handler import reports
from ..arguments import ArtifactArgument, LoginArgument, TargetArgument
from ..session import signed_in


@reports
def copy(
    cmd: Any,
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
    from ... import _client_factory as factory
    from ...operations.copy import Registries
    from ...operations.copy import copy as run
    from ..arm_import import importer_for
    from ..orders import copy_order
    from ..output.json_copy import copy_output
    from ..output.progress import progress_for

    ends = factory.name_artifact(cmd, artifact), factory.name_artifact(cmd, _named(target))
    options = {"recursive": recursive, "dry_run": dry_run, "overwrite": not no_overwrite}
    order = functools.partial(copy_order, cmd, tags or [], platform, concurrency, options)
    order(ends[0].reference, ends[1].reference)  # what is wrong with the arguments is said before anything is asked for

    def act(origin: factory.Endpoint, end: factory.Endpoint) -> Any:
        importer = importer_for(cmd, (origin.registry.server, origin.login), (end.registry.server, end.login))
        registries = Registries(origin.registry, end.registry, importer)
        return run(registries, order(origin.reference, end.reference), progress)

    to_login = signed_in(target.login) if target.login else None
    with contextlib.closing(progress_for(cmd.cli_ctx)) as progress:
        result = factory.with_registries(cmd, (ends[0], signed_in(login)), (ends[1], to_login), progress, act)
        progress.note(f"{'Would copy' if dry_run else 'Copied':11} {result.reference}")
        progress.note(f"{'Digest:':11} {result.manifest.digest}")
        progress.note(f"{'Way:':11} {result.way}")
    return copy_output(result)


def _named(target: TargetArgument) -> ArtifactArgument:
    """The target in the form that the source has."""
    if target.registry:
        return ArtifactArgument(None, target.registry, target.reference, None)
    return ArtifactArgument(target.reference, None, None, None)
