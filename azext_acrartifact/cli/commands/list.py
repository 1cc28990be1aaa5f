"""The command `list`."""

from __future__ import annotations

from typing import Any

from ..._exception_handler import command
from ..arguments import ArtifactArgument, LoginArgument
from ..context import CommandContext


@command
def list_artifacts(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    orderby: str | None = None,
    top: int | None = None,
    artifact_type: str | None = None,
) -> list[Any]:
    """List repositories, or the artifacts of one."""
    from ...errors import InvalidInputError
    from ...operations.list import ListOrder, list_repositories
    from ...operations.list import list_artifacts as run
    from ...text import printable
    from ..naming import explaining_registry, name_repository
    from ..output.json import listed_output
    from ..session import open_session

    named = name_repository(cmd, artifact)
    repository = named.reference.repository
    if named.reference.version is not None:
        raise InvalidInputError(
            "A list takes no tag or digest", where=str(named.reference), hint="Name the repository alone."
        )
    if not repository and (orderby or artifact_type):
        raise InvalidInputError("--orderby and --artifact-type need --repository", hint="Give --repository as well.")
    with explaining_registry(artifact.reference), open_session(cmd, named, login) as session:
        if not repository:
            return [printable(name) for name in list_repositories(session.registry, top)]
        order = ListOrder(repository, orderby, top, artifact_type)
        return [listed_output(item) for item in run(session.registry, order)]
