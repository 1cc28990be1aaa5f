"""The result of a command that fails all the same.

Azure CLI prints what a function returns or the error that it raises, never both, so such a command prints itself.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..context import CommandContext


def print_result(
    cmd: CommandContext, shown: dict[str, Any], table: Callable[[dict[str, Any]], list[dict[str, Any]]]
) -> None:
    """Print the result *shown* as Azure CLI does, with `--query` and `--output`; *table* makes its rows."""
    from knack.events import EVENT_INVOKER_FILTER_RESULT
    from knack.util import CommandResultItem

    from ..._format import harmless

    cli_ctx = cmd.cli_ctx
    data = {"result": shown}
    cli_ctx.raise_event(EVENT_INVOKER_FILTER_RESULT, event_data=data)
    queried = bool(cli_ctx.invocation.data.get("query_active"))
    item = CommandResultItem(
        data["result"], table_transformer=lambda result: harmless(table(result)), is_query_active=queried
    )
    formatter = cli_ctx.output.get_formatter(cli_ctx.invocation.data["output"])
    cli_ctx.output.out(item, formatter=formatter, out_file=cli_ctx.out_file)
