"""The command that clears old tags and artifacts away."""

from __future__ import annotations

import contextlib
import itertools
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from ..._exception_handler import reports
from ...errors import ArtifactError, InvalidInputError
from ..arguments import ArtifactArgument, LoginArgument
from ..session import signed_in

if TYPE_CHECKING:
    from ...oci.reference import Reference
    from ...operations.purge import PurgeResult
    from ...operations.purge_plan import PurgeOrder, PurgePlan

_MOST_NAMED = 10


@reports
def purge(
    cmd: Any,
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
    from ... import _client_factory as factory
    from ...operations.purge import preview
    from ...operations.purge import purge as run
    from ...operations.purge_plan import plan_purge
    from ..output.json import purge_output
    from ..output.progress import progress_for

    if untagged and untagged_only:
        raise InvalidInputError("--untagged and --untagged-only exclude each other", hint="Give one of them.")
    if include_referrers and not (untagged or untagged_only):
        raise InvalidInputError("--include-referrers is about artifacts without a tag", hint="Give --untagged as well.")
    named = factory.name_place(cmd, artifact)
    what = (keep, not untagged_only, untagged or untagged_only, include_referrers, dry_run)
    order = _order(named.reference, ago, filters or [], *what)
    with contextlib.closing(progress_for(cmd.cli_ctx)) as progress:

        def act(registry: Any, _: Reference) -> PurgeResult:
            plan = plan_purge(registry, order, datetime.now(timezone.utc))
            if dry_run:
                return preview(plan)
            _confirm(cmd, plan, yes)
            return run(registry, plan, progress)

        result = factory.with_registry(cmd, named, signed_in(login), progress, act)
    shown = purge_output(result)
    if result.failed:
        _print(cmd, shown)
        raise _incomplete(result)
    return shown


def _order(place: Reference, ago: str, filters: list[str], *what: Any) -> PurgeOrder:
    from ...operations.purge_filters import TagFilter, parse_age, parse_filter
    from ...operations.purge_plan import PurgeOrder

    if place.version is not None:
        raise InvalidInputError("A purge has no tag", where=str(place), hint=f"Give --filter '{place.repository}:TAG'.")
    if bool(place.repository) == bool(filters):
        raise InvalidInputError(
            "The repositories are named twice" if filters else "The repositories are not named",
            hint="Give --repository REPOSITORY, or --filter 'REPOSITORY:TAG' with regular expressions.",
        )
    chosen = [parse_filter(text) for text in filters] or [TagFilter.of_repository(place.repository)]
    return PurgeOrder(chosen, parse_age(ago), *what)


def _confirm(cmd: Any, plan: PurgePlan, yes: bool) -> None:
    from ..output.confirm import confirm

    going = list(plan.doomed)
    if not going:
        return
    tags = sum(len(one.tags) for one in plan.repositories)
    places = sum(bool(one.tags or one.manifests) for one in plan.repositories)
    lines = [
        f"This operation will remove {tags} tags and delete {len(going) - tags} artifacts without a tag "
        f"in {places} repositories:"
    ]
    lines += [f"  {reference.image}" for reference in itertools.islice(going, _MOST_NAMED)]
    if len(going) > _MOST_NAMED:
        lines.append(f"  and {len(going) - _MOST_NAMED} more, which --dry-run lists")
    confirm(cmd, "\n".join(lines), yes)


def _incomplete(result: PurgeResult) -> ArtifactError:
    first = result.failed[0]
    return ArtifactError(
        f"{len(result.failed)} could not be purged",
        where=str(first.reference),
        why=first.error.message,
        hint=" ".join(filter(None, [first.error.hint, "Run the same command again to go on with what is left."])),
    )


def _print(cmd: Any, shown: dict[str, Any]) -> None:
    """Print a result as Azure CLI does, for a command that then fails: it prints what a function returns, or its
    error, never both."""
    from knack.events import EVENT_INVOKER_FILTER_RESULT
    from knack.util import CommandResultItem

    from ..._format import purge_table

    invocation = cmd.cli_ctx.invocation
    data = {"result": shown}
    cmd.cli_ctx.raise_event(EVENT_INVOKER_FILTER_RESULT, event_data=data)
    queried = bool(invocation.data.get("query_active"))
    item = CommandResultItem(data["result"], table_transformer=purge_table, is_query_active=queried)
    output = cmd.cli_ctx.output
    output.out(item, formatter=output.get_formatter(invocation.data["output"]), out_file=cmd.cli_ctx.out_file)
