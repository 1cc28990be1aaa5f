"""The commands `tag` and `untag`."""

from __future__ import annotations

from typing import Any

from ..._exception_handler import command
from ..arguments import ArtifactArgument, LoginArgument
from ..context import CommandContext


@command
def tag(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    tags: list[str],
    no_overwrite: bool = False,
    lock: bool = False,
) -> dict[str, Any]:
    """Add tags to an artifact."""
    from ...operations.tag import TagRules
    from ...operations.tag import tag as run
    from ..naming import check_tags, name_artifact
    from ..output.json import tagged_output
    from ..session import open_session

    named = name_artifact(cmd, artifact)
    names = check_tags(tags)
    with open_session(cmd, named, login) as session:
        return tagged_output(run(session.registry, session.reference, names, TagRules(not no_overwrite, lock)))


@command
def untag(cmd: CommandContext, artifact: ArtifactArgument, login: LoginArgument) -> dict[str, Any]:
    """Remove a tag from an artifact."""
    from ...operations.tag import untag as run
    from ..naming import name_artifact
    from ..output.json import untagged_output
    from ..session import open_session

    with open_session(cmd, name_artifact(cmd, artifact), login) as session:
        run(session.registry, session.reference)
        return untagged_output(session.reference)
