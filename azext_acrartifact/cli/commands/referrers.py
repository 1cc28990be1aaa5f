"""The commands about what is attached to an artifact."""

from __future__ import annotations

import functools
import sys
from typing import Any

from ..._exception_handler import reports
from ..arguments import ArtifactArgument, ContentArgument, LoginArgument
from ..session import at_registry, transfer


@reports
def attach(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    content: ContentArgument,
    tags: list[str] | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Attach files and folders to an artifact."""
    from ...operations.attach import attach as run
    from ..orders import push_order
    from ..output.json import attach_output

    order = functools.partial(push_order, cmd, content, tags or [], dry_run=dry_run)
    return attach_output(transfer(cmd, artifact, login, order, run, "Would push" if dry_run else "Attached"))


@reports
def list_referrers(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    artifact_type: str | None = None,
    recursive: bool = False,
) -> dict[str, Any] | None:
    """List what is attached to an artifact."""
    from ...operations.list_referrers import list_referrers as run
    from ..output.json import referrers_output
    from ..output.referrer_tree import referrers_tree

    found = referrers_output(
        at_registry(cmd, artifact, login, functools.partial(run, artifact_type=artifact_type, recursive=recursive))
    )
    if not _is_for_a_person(cmd):
        return found
    sys.stdout.write(referrers_tree(found) + "\n")
    return None


def _is_for_a_person(cmd: Any) -> bool:
    """Whether the result goes to a terminal in no format that anybody asked for."""
    asked = {"--output", "-o", "--query"} & set(cmd.cli_ctx.data.get("safe_params") or [])
    usual = cmd.cli_ctx.config.get("core", "output", fallback="json") == "json"
    return sys.stdout.isatty() and usual and not asked
