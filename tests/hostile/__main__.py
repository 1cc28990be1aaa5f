"""`python3 dev.py hostile --table`: run every case with every client and write docs/security-cases.md.

A case that hung, or ran out of memory, beside others is run once more alone: a busy machine is no verdict.
Names of clients (`oras`) run these alone, and print instead of writing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from devtools import steps, wheel
from tests.hostile.case import Case
from tests.hostile.clients import CLIENTS
from tests.hostile.judge import Judged
from tests.hostile.report import Results, page
from tests.hostile.run import Stage, play, play_all
from tests.hostile.table import CASES

PAGE = steps.ROOT / "docs" / "security-cases.md"
AT_ONCE = {"ours": 4, "oras": 8, "regctl": 8}
ALSO_WITH_DEBUG = frozenset({"R5", "R6", "R7", "R8", "R9", "R15", "R16"})
"""Requirements on where secrets may be sent."""


def main(arguments: list[str]) -> int:
    """Run the cases and write the page; return 1 if ours is not safe in one of them."""
    results: Results = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stage = Stage.make(folder, wheel.build(folder / "wheel"))
        for client in arguments or CLIENTS:
            results[client] = _verdicts(stage, CASES, client)
        if not arguments:
            asked = [case for case in CASES if case.requirement in ALSO_WITH_DEBUG]
            results["debug"] = _verdicts(stage, asked, "ours", debug=True)
    if not arguments:
        PAGE.write_text(page(CASES, results), encoding="utf-8")
    ours = [judged for name in ("ours", "debug") for judged in results.get(name, {}).values() if judged]
    return 1 if any(judged.verdict != "SAFE" for judged in ours) else 0


def _verdicts(stage: Stage, cases: list[Case], client: str, debug: bool = False) -> dict[str, Judged | None]:
    title = f"{client} --debug" if debug else client
    steps.say(f"==> {title}: {len(cases)} cases")
    found = {case.name: judged for case, judged in play_all(stage, cases, client, debug, AT_ONCE[client])}
    for case in cases:
        if (judged := found[case.name]) and judged.verdict == "HANG":
            found[case.name] = play(stage, case, client, debug)
        if (judged := found[case.name]) and judged.verdict != "SAFE":
            steps.say(f"    {title} {case.name}: {judged.verdict} {'; '.join(judged.reasons)[:300]}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
