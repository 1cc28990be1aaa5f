"""docs/security-cases.md describes the cases that exist, in the words of `report`."""

from __future__ import annotations

from tests.hostile.__main__ import SUMMARY
from tests.hostile.case import Case
from tests.hostile.judge import Judged
from tests.hostile.report import CLIENTS, costs, introduction, requirements, summary, table
from tests.hostile.table import CASES, KINDS


def missing(page: str, kinds: dict[str, list[Case]]) -> list[str]:
    """Return the lines of the summary of *kinds* that *page* does not have."""
    cases = [case for of_kind in kinds.values() for case in of_kind]
    lines = page.splitlines()
    starts = [start for start in requirements(cases).values() if not any(line.startswith(start) for line in lines)]
    return [line for line in introduction(kinds) if line not in lines] + starts


def test_the_summary_is_of_these_cases() -> None:
    assert missing(SUMMARY.read_text(encoding="utf-8"), KINDS) == []


def test_a_new_case_is_missing_in_the_summary() -> None:
    more = {**KINDS, "pushes": [*KINDS["pushes"], KINDS["pushes"][0]]}
    assert len(missing(SUMMARY.read_text(encoding="utf-8"), more)) == 3


def test_each_verdict_is_counted_in_the_summary_and_shown_in_the_table() -> None:
    case = CASES[0]
    harmed = {case.name: Judged("HARM", ("a | b",))}
    results = {**dict.fromkeys(CLIENTS, harmed), "ours": {case.name: Judged("SAFE", ())}, "regctl": {case.name: None}}
    page = summary({"names": [case]}, results)
    assert "| `az acr artifact` | 1 | 1 | 0 | 0 | 0 |" in page
    assert "| oras 1.3.6 | 1 | 0 | 1 | 0 | 0 |" in page
    assert "| 1 | 1 of 1 | 0 of 1 | 0 of 0 |" in page
    whole = table([case], results)
    assert whole.splitlines()[6].endswith("| safe | **HARM** | – |")
    assert f"## Where oras 1.3.6 is not safe\n\n- {case.name}: HARM: a &#124; b\n" in whole


def test_the_cases_that_took_most_are_shown() -> None:
    found = {"quick": Judged("SAFE", (), 1.0, 50.0), "slow": Judged("SAFE", (), 19.96, 40.0), "none": None}
    assert [line.split() for line in costs(found, 1)[1::2]] == [["20.0", "s", "slow"], ["50.0", "MiB", "quick"]]


def test_each_case_has_a_name_of_its_own() -> None:
    assert len({case.name for case in CASES}) == len(CASES)
