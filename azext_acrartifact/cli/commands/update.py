"""The command `update`."""

from __future__ import annotations

from typing import Any

from ..._exception_handler import command
from ..arguments import ArtifactArgument, LoginArgument
from ..context import CommandContext


@command
def update(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    delete_enabled: bool | None = None,
    list_enabled: bool | None = None,
    read_enabled: bool | None = None,
    write_enabled: bool | None = None,
) -> dict[str, Any]:
    """Change the attributes of a tag, of an artifact, or of a repository."""
    from ...operations.update import update as run
    from ..naming import name_artifact
    from ..output.json import properties_output
    from ..session import open_session

    given = {
        "deleteEnabled": delete_enabled,
        "listEnabled": list_enabled,
        "readEnabled": read_enabled,
        "writeEnabled": write_enabled,
    }
    attributes = {name: value for name, value in given.items() if value is not None}
    with open_session(cmd, name_artifact(cmd, artifact), login) as session:
        return properties_output(run(session.registry, session.reference, attributes))
