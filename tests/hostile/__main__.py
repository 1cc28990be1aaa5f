"""`python3 dev.py hostile --table`: run every case with every client and write both pages.

The summary goes to docs/security-cases.md, the verdict on every case to dist/security-cases.md. With names of clients
(`oras`), run only these and write nothing.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from devtools import steps, wheel
from tests.hostile.case import Case
from tests.hostile.clients import CLIENTS
from tests.hostile.judge import Judged
from tests.hostile.report import Results, costs, summary, table
from tests.hostile.run import Stage, play_all
from tests.hostile.table import CASES, KINDS

SUMMARY = steps.ROOT / "docs" / "security-cases.md"
TABLE = wheel.DIST / SUMMARY.name
"""Not in git; CI can keep it as an artifact."""
AT_ONCE = {"ours": 4, "oras": 8, "regctl": 8}
ALSO_WITH_DEBUG = frozenset({"R5", "R6", "R7", "R8", "R9", "R15", "R16", "R34"})
"""The requirements about secrets."""


def main(arguments: list[str]) -> int:
    """Run the cases and write the pages; return 1 if ours is not safe in one of them."""
    results: Results = {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        stage = Stage.make(folder, wheel.build(folder / "wheel"))
        for client in arguments or CLIENTS:
            results[client] = _verdicts(stage, CASES, client)
        if not arguments:
            chosen = [case for case in CASES if case.requirement in ALSO_WITH_DEBUG]
            results["debug"] = _verdicts(stage, chosen, "ours", debug=True)
    if not arguments:
        SUMMARY.write_text(summary(KINDS, results), encoding="utf-8")
        TABLE.parent.mkdir(exist_ok=True)
        TABLE.write_text(table(CASES, results), encoding="utf-8")
        steps.say(f"Written: {SUMMARY.relative_to(steps.ROOT)}, {TABLE.relative_to(steps.ROOT)}")
    steps.say("\n".join(costs(results.get("ours", {}))))
    ours = [judged for name in ("ours", "debug") for judged in results.get(name, {}).values() if judged]
    return 1 if any(judged.verdict != "SAFE" for judged in ours) else 0


def _verdicts(stage: Stage, cases: list[Case], client: str, debug: bool = False) -> dict[str, Judged | None]:
    title = f"{client} --debug" if debug else client
    steps.say(f"==> {title}: {len(cases)} cases")
    found = {case.name: judged for case, judged in play_all(stage, cases, client, debug, AT_ONCE[client])}
    for case in cases:
        if (judged := found[case.name]) and judged.verdict != "SAFE":
            steps.say(f"    {title} {case.name}: {judged.verdict} {'; '.join(judged.reasons)[:300]}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
