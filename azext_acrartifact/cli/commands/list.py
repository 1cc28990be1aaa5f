"""The commands about what is in a registry under which name: list, tag, untag, update."""

from __future__ import annotations

import functools
from typing import Any

from ..._exception_handler import reports
from ..arguments import ArtifactArgument, LoginArgument
from ..session import at_place, at_registry


@reports
def list_artifacts(
    cmd: Any,
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
    from ..output.json import listed_output

    def act(registry: Any, found: Any) -> list[Any]:
        if found.version is not None:
            raise InvalidInputError("A list has no tag", where=str(found), hint="Name the repository alone.")
        if found.repository:
            order = ListOrder(found.repository, orderby, top, artifact_type)
            return [listed_output(item) for item in run(registry, order)]
        if orderby or artifact_type:
            raise InvalidInputError("Repositories have no time and no type", hint="Give --repository as well.")
        return [printable(name) for name in list_repositories(registry, top)]

    return at_place(cmd, artifact, login, act)


@reports
def tag(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    tags: list[str],
    no_overwrite: bool = False,
    lock: bool = False,
) -> dict[str, Any]:
    """Add tags to an artifact."""
    from ...oci.reference import check_tag
    from ...operations.tag import TagRules
    from ...operations.tag import tag as run
    from ..output.json import tagged_output

    names = list(dict.fromkeys(map(check_tag, tags)))
    act = functools.partial(run, tags=names, rules=TagRules(not no_overwrite, lock))
    return tagged_output(at_registry(cmd, artifact, login, act))


@reports
def untag(cmd: Any, artifact: ArtifactArgument, login: LoginArgument) -> None:
    """Remove a tag from an artifact."""
    from ...operations.tag import untag as run

    at_registry(cmd, artifact, login, run)


@reports
def update(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    delete_enabled: bool | None = None,
    list_enabled: bool | None = None,
    read_enabled: bool | None = None,
    write_enabled: bool | None = None,
) -> dict[str, Any]:
    """Change the attributes of a tag, of an artifact, or of a repository."""
    from ...operations.update import update as run
    from ..output.json import properties_output

    given = {
        "deleteEnabled": delete_enabled,
        "listEnabled": list_enabled,
        "readEnabled": read_enabled,
        "writeEnabled": write_enabled,
    }
    attributes = {name: value for name, value in given.items() if value is not None}
    return properties_output(at_registry(cmd, artifact, login, functools.partial(run, attributes=attributes)))
