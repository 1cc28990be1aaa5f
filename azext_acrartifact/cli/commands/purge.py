"""The command `purge`."""

from __future__ import annotations

import itertools
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..._exception_handler import command
from ...errors import ArtifactError, InvalidInputError
from ..arguments import ArtifactArgument, LoginArgument
from ..context import CommandContext

if TYPE_CHECKING:
    from ...oci.reference import Reference
    from ...operations.purge import PurgeResult
    from ...operations.purge_filters import TagFilter
    from ...operations.purge_plan import PurgePlan
    from ...transfer.progress import Progress

_MOST_NAMED = 10


@command
def purge(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    ago: str,
    filters: list[str] | None = None,
    keep: int = 0,
    untagged: bool = False,
    untagged_only: bool = False,
    include_referrers: bool = False,
    dry_run: bool = False,
    yes: bool = False,
) -> dict[str, Any]:
    """Delete old tags, and artifacts without a tag."""
    from ...operations.purge import preview
    from ...operations.purge import purge as run
    from ...operations.purge_filters import parse_age
    from ...operations.purge_plan import PurgeOrder, plan_purge
    from ..naming import name_repository
    from ..output.json import purge_output
    from ..session import open_session

    if untagged and untagged_only:
        raise InvalidInputError("--untagged and --untagged-only exclude each other", hint="Give one of them.")
    if include_referrers and not (untagged or untagged_only):
        raise InvalidInputError("--include-referrers needs --untagged", hint="Give --untagged or --untagged-only.")
    named = name_repository(cmd, artifact)
    order = PurgeOrder(
        _filters(named.reference, filters or []),
        parse_age(ago),
        keep,
        tags=not untagged_only,
        untagged=untagged or untagged_only,
        referrers=include_referrers,
        dry_run=dry_run,
    )
    with open_session(cmd, named, login) as session:
        plan = plan_purge(session.registry, order, datetime.now(timezone.utc))
        _note_unmatched(session.progress, plan)
        if dry_run:
            return purge_output(preview(plan))
        _confirm(cmd, plan, yes)
        result = run(session.registry, plan, session.progress)
    shown = purge_output(result)
    if result.failed:
        _print(cmd, shown)
        raise _incomplete(result)
    return shown


def _filters(named: Reference, texts: list[str]) -> list[TagFilter]:
    from ...operations.purge_filters import TagFilter, parse_filter

    if named.version is not None:
        hint = f"Give --filter '{named.repository}:TAG'."
        raise InvalidInputError("A purge takes no tag or digest", where=str(named), hint=hint)
    if bool(named.repository) == bool(texts):
        raise InvalidInputError(
            "--repository and --filter exclude each other" if texts else "No repository given",
            hint="Give --repository REPOSITORY, or --filter 'REPOSITORY:TAG' with regular expressions.",
        )
    return [parse_filter(text) for text in texts] or [TagFilter.of_repository(named.repository)]


def _confirm(cmd: CommandContext, plan: PurgePlan, yes: bool) -> None:
    from ..output.confirm import confirm

    doomed = list(plan.doomed)
    if not doomed:
        return
    tags = sum(len(one.tags) for one in plan.repositories)
    repositories = sum(bool(one.tags or one.manifests) for one in plan.repositories)
    lines = [
        f"This operation will remove {tags} tags and delete {len(doomed) - tags} artifacts without a tag "
        f"in {repositories} repositories:"
    ]
    lines += [f"  {reference.image}" for reference in itertools.islice(doomed, _MOST_NAMED)]
    if len(doomed) > _MOST_NAMED:
        lines.append(f"  and {len(doomed) - _MOST_NAMED} more (--dry-run lists all)")
    confirm(cmd, "\n".join(lines), yes)


def _note_unmatched(progress: Progress, plan: PurgePlan) -> None:
    for one in plan.unmatched:
        progress.note(f"{one.typed}: {'; '.join(filter(None, [one.why, one.hint]))}")


def _print(cmd: CommandContext, shown: dict[str, Any]) -> None:
    from ..._format import purge_table
    from ..output.failed_result import print_result

    print_result(cmd, shown, purge_table)


def _incomplete(result: PurgeResult) -> ArtifactError:
    first = result.failed[0]
    return ArtifactError(
        f"{len(result.failed)} could not be purged",
        where=str(first.reference),
        why=first.error.summary,
        hint=" ".join(filter(None, [first.error.hint, "Run the same command again for the rest."])),
    )
