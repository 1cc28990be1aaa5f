"""The verdicts on each case and client as Markdown: a summary for docs/, and the whole table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.hostile.case import Case
from tests.hostile.judge import Judged

Results = dict[str, dict[str, Judged | None]]
CLIENTS = {"ours": "`az acr artifact`", "oras": "oras 1.3.6", "regctl": "regctl 0.11.7"}
VERDICTS = {
    "SAFE": "the command does what is right, or refuses with a clear error",
    "HARM": "it damages a file, writes outside the destination, reports a false success, leaks a secret, contacts a "
    "foreign host, lets the registry control the terminal, or exhausts memory or disk",
    "HANG": "it does not end within 20 seconds",
    "UNCLEAR": "it succeeds where it must refuse, refuses where it must succeed, or has no readable error",
}
"""The verdicts; `judge` has the exact rules."""
REQUIREMENTS = {
    "R1": "file names are checked by one rule on all systems, before the first write",
    "R2": "writes never follow a link; only complete and verified content gets its final name",
    "R3": "extraction is bounded in bytes, entries and headers",
    "R4": "archives create regular files, folders and inward links only",
    "R5": "secrets go only to the registry's own token endpoint, with the least scope",
    "R6": "redirects send no secret to another origin, and never lead to plain HTTP or into the local network",
    "R7": "writes and token requests follow no redirect; only a 201 from the registry itself is success",
    "R8": "uploads stay on the registry",
    "R9": "lists stay on the registry, and end",
    "R10": "indexes and referrers end, and are verified",
    "R11": "responses are bounded, whatever size they announce",
    "R12": "content is verified against its digest",
    "R13": "no manifest is read in two ways; success means that every described file exists",
    "R14": "text from a registry controls neither the terminal nor a pipeline's agent",
    "R15": "no secret is in outputs, errors or logs, even with --debug",
    "R16": "no netrc, no cookies, no content decoding; certificates are verified",
    "R17": "transient errors are retried, within bounds; interrupted transfers resume",
    "R18": "silence, trickles and interim responses are tolerated for a bounded time",
    "R19": "space and permissions are checked before the first byte",
    "R20": "an error is one line with what, where and why, and one with what to do",
    "R21": "content that cannot be pulled is not pushed",
    "R22": "nothing of an artifact is ever imported or run",
    "R23": "programs are looked up on PATH alone, never in the current folder",
    "R24": "a bare name never leads to another owner's registry, nor a refused sign-in to silent anonymous access",
    "R25": "nothing is deleted that was not named; a tag's form alone makes no list of referrers",
    "R26": "the plan of an artifact takes bounded memory, components and folders",
    "R27": "a transfer ends unless it makes progress towards its end, and moves at most three times its size between "
    "two steps of progress",
    "R28": "metadata has deadlines, and a list ends without new entries",
    "R29": "a token for Azure Resource Manager is not sent because a registry refused another one",
    "R30": "responses of Entra ID and Resource Manager are bounded and checked like those of a registry",
    "R31": "graphs of manifests and decoders keep the process below 200 MiB",
    "R32": "unpacking is bounded over the whole artifact, in bytes, entries and time",
    "R33": "names are checked when they are read; no line of output begins with a pipeline's command",
    "R34": "no secret of the process is shown, even when a later response repeats it",
    "R35": "patterns are matched in linear time, on texts of bounded length",
    "R36": "unfinished files belong to their owner alone, and no lock of another user blocks for ever",
    "R37": "redirects lead to no inward name or address, in any notation, also behind a proxy",
    "R38": "lists, compressed members and error texts take bounded memory and time",
    "R39": "what is not understood of a signature is refused, and what was verified is what is used",
}
_MARKS = {"SAFE": "safe", "HARM": "**HARM**", "HANG": "**HANG**", "UNCLEAR": "unclear"}


def summary(kinds: Mapping[str, Sequence[Case]], results: Results) -> str:
    """Return what is tried, by kind and by requirement, and how many cases are safe with each client."""
    cases = [case for of_kind in kinds.values() for case in of_kind]
    lines = [
        "# What a hostile registry can do",
        "",
        *introduction(kinds),
        "",
        f"| client | cases | {' | '.join(VERDICTS)} |",
        "|---|---|---|---|---|---|",
        *(_totals(name, results[client]) for client, name in CLIENTS.items()),
        *([_totals("`az acr artifact … --debug`", results["debug"])] if "debug" in results else []),
        "",
        "## Requirements",
        "",
        "| | requirement | cases | safe: ours | oras | regctl |",
        "|---|---|---|---|---|---|",
        *(f"{start} {_safe(cases, results, key)} |" for key, start in requirements(cases).items()),
    ]
    return "\n".join(lines) + "\n"


def introduction(kinds: Mapping[str, Sequence[Case]]) -> list[str]:
    """Return the lines of the summary before the verdicts, which depend on the cases only."""
    return [
        f"In {sum(map(len, kinds.values()))} cases a registry, behind a proxy and with a public name and TLS, sends "
        "scripted raw bytes. Every case is one process of the real program; ours is `az` with the built wheel "
        "installed. All clients get the same responses, folders and secrets, and are judged by the same rules "
        "(`tests/hostile/judge.py`).",
        "",
        "`python3 dev.py hostile` runs all cases with ours, and CI every fourth (`--some`). `python3 dev.py hostile "
        "--table` runs them with the other clients too, updates this page, and writes the verdict on every case to "
        "`dist/security-cases.md`, which CI can keep as an artifact.",
        "",
        "| what is hostile | cases |",
        "|---|---|",
        *(f"| {kind} | {len(of_kind)} |" for kind, of_kind in kinds.items()),
        "",
        "## Verdicts",
        "",
        *(f"- **{verdict}**: {meaning}" for verdict, meaning in VERDICTS.items()),
    ]


def requirements(cases: Sequence[Case]) -> dict[str, str]:
    """Return the start of each requirement's line: its key, its text and its number of cases."""
    counts = Counter(case.requirement for case in cases)
    return {key: f"| {key} | {text} | {counts[key]} |" for key, text in REQUIREMENTS.items()}


def table(cases: Sequence[Case], results: Results) -> str:
    """Return the verdict on every case, and the reasons of all that are not safe."""
    harmed = [_harmed(cases, results[client], name) for client, name in CLIENTS.items()]
    return "\n\n".join(part for part in [_table(cases, results), *harmed] if part) + "\n"


def costs(found: Mapping[str, Judged | None], most: int = 10) -> list[str]:
    """Return a line for each of the slowest cases, and for each with the most memory."""
    judged = [(name, one) for name, one in found.items() if one]
    slowest = sorted(judged, key=lambda pair: pair[1].seconds, reverse=True)[:most]
    largest = sorted(judged, key=lambda pair: pair[1].peak, reverse=True)[:most]
    lines = ["The slowest cases:", *(f"{one.seconds:8.1f} s    {name}" for name, one in slowest)]
    return [*lines, "The cases with the most memory:", *(f"{one.peak:8.1f} MiB  {name}" for name, one in largest)]


def _totals(name: str, found: Mapping[str, Judged | None]) -> str:
    counts = Counter(judged.verdict for judged in found.values() if judged)
    cells = [str(counts[verdict]) for verdict in VERDICTS]
    return f"| {name} | {sum(counts.values())} | {' | '.join(cells)} |"


def _safe(cases: Sequence[Case], results: Results, requirement: str) -> str:
    names = [case.name for case in cases if case.requirement == requirement]
    safe = []
    for client in CLIENTS:
        judged = [found for name in names if (found := results[client].get(name))]
        safe.append(f"{sum(found.verdict == 'SAFE' for found in judged)} of {len(judged)}")
    return " | ".join(safe)


def _table(cases: Sequence[Case], results: Results) -> str:
    lines = [
        "# All cases",
        "",
        "`–`: the client has no such command.",
        "",
        "| case | | what the registry does | command | right | ours | oras | regctl |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for case in cases:
        marks = []
        for client in CLIENTS:
            judged = results[client].get(case.name)
            marks.append(_MARKS[judged.verdict] if judged else "–")
        does, right = _cell(case.does), _cell(str(case.right))
        lines.append(f"| {case.name} | {case.requirement} | {does} | {case.command} | {right} | {' | '.join(marks)} |")
    return "\n".join(lines)


def _harmed(cases: Sequence[Case], found: Mapping[str, Judged | None], name: str) -> str:
    """List the faults of a client."""
    lines = [
        f"- {case.name}: {judged.verdict}: {_cell('; '.join(judged.reasons))[:200]}"
        for case in cases
        if (judged := found.get(case.name)) and judged.verdict != "SAFE"
    ]
    return "\n".join([f"## Where {name} is not safe", "", *lines]) if lines else ""


def _cell(text: str) -> str:
    """Escape *text* for a cell of a table, so that nothing in it is Markdown or HTML."""
    text = re.sub(r"/[^\s:]*/case-\w+/(?:work/)?", "", text)
    shown = "".join(c if c.isprintable() else "·" for c in text)
    for mark, written in (
        ("&", "&amp;"),
        ("|", "&#124;"),
        ("<", "&lt;"),
        ("*", "\\*"),
        ("`", "'"),
        ("##vso[", "# #vso["),
    ):
        shown = shown.replace(mark, written)
    return shown
