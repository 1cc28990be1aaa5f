"""The commands `attach` and `list-referrers`."""

from __future__ import annotations

import sys
from dataclasses import replace
from typing import Any

from ..._exception_handler import command
from ..arguments import ArtifactArgument, ContentArgument, LoginArgument
from ..context import CommandContext


@command
def attach(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    content: ContentArgument,
    tags: list[str] | None = None,
    dry_run: bool = False,
    sign_key: str | None = None,
) -> dict[str, Any]:
    """Attach files and folders to an artifact."""
    from ...operations.attach import attach as run
    from ..naming import name_artifact
    from ..orders import push_order
    from ..output.json import attach_output
    from ..session import open_session
    from ..signing import SignAfter

    named = name_artifact(cmd, artifact)
    order = push_order(cmd, named.reference, content, tags or [], dry_run=dry_run)
    signing = SignAfter(cmd, sign_key, order)
    with open_session(cmd, named, login) as session:
        result = run(session.registry, replace(order, reference=session.reference), session.progress)
        session.report("Would push" if dry_run else "Attached", result.reference, result.manifest.digest)
        signing.sign(session, result.manifest.digest)
    return attach_output(result)


@command
def list_referrers(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    artifact_type: str | None = None,
    recursive: bool = False,
) -> dict[str, Any] | None:
    """List what is attached to an artifact."""
    from ...operations.list_referrers import list_referrers as run
    from ..naming import name_artifact
    from ..output.json import referrers_output
    from ..output.referrer_tree import referrers_tree
    from ..output.streams import plain
    from ..session import open_session

    with open_session(cmd, name_artifact(cmd, artifact), login) as session:
        found = referrers_output(run(session.registry, session.reference, artifact_type, recursive))
    if not _is_for_a_person(cmd):
        return found
    sys.stdout.write(plain(referrers_tree(found), sys.stdout) + "\n")
    return None


def _is_for_a_person(cmd: CommandContext) -> bool:
    """Return whether the result goes to a terminal, and no output format was asked for."""
    usual = cmd.setting("core", "output", "json") == "json"
    return sys.stdout.isatty() and usual and not {"--output", "-o", "--query"} & cmd.options
