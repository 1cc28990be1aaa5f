"""Write the page with the verdict on each case and client."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

from tests.hostile.case import Case
from tests.hostile.judge import Judged
from tests.hostile.judge import __doc__ as verdicts

Results = dict[str, dict[str, Judged | None]]
CLIENTS = {"ours": "`az acr artifact`", "oras": "oras 1.3.6", "regctl": "regctl 0.11.7"}
VERDICTS = ("SAFE", "HARM", "HANG", "UNCLEAR")
REQUIREMENTS = {
    "R1": "one rule decides about names on all systems, before the first write",
    "R2": "writes never follow a link; only a complete, verified file gets its final name",
    "R3": "unpacking is bounded in bytes, entries and headers",
    "R4": "archives create only regular files, folders and inward links",
    "R5": "secrets are sent only to the registry's own token endpoint, for the needed permissions",
    "R6": "redirects send no secret to another origin, and never lead to plain HTTP or inward",
    "R7": "writes and token requests are not redirected; success is 201 from the registry itself",
    "R8": "uploads stay on the registry",
    "R9": "lists stay on the registry, and end",
    "R10": "indexes and lists of referrers end, and referrers name their subject themselves",
    "R11": "responses are bounded, whatever they announce",
    "R12": "bytes match their digests",
    "R13": "manifests are parsed strictly; success means that every described file exists",
    "R14": "text of a registry controls no terminal and no pipeline agent",
    "R15": "no secret in outputs, errors or logs, not even with --debug",
    "R16": "no netrc, no cookies, no content decoding; certificates are verified",
    "R17": "transient failures are retried, within limits; broken transfers resume",
    "R18": "silence, trickles and interim responses have a time limit",
    "R19": "free space and permissions are checked before the first byte",
    "R20": "an error is one line of what, where and why, and one of what to do",
    "R21": "a push refuses files that could not be pulled",
}
_MARKS = {"SAFE": "safe", "HARM": "**HARM**", "HANG": "**HANG**", "UNCLEAR": "unclear"}


def page(cases: Sequence[Case], results: Results) -> str:
    """Return the page in Markdown."""
    harmed = [_harmed(cases, results[client], name) for client, name in CLIENTS.items()]
    parts = [_head(cases, results), _requirements(cases, results), _table(cases, results), *harmed]
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(cases: Sequence[Case], results: Results) -> str:
    lines = [
        "# What a hostile registry can do",
        "",
        f"{len(cases)} cases: scripts of raw bytes behind a proxy, where the client finds a registry on a public name, "
        "TLS and all. Each is one process of the real program; of ours, `az` with the built wheel installed. All get "
        "the same responses, the same folders and the same secrets, and are judged by the same rules.",
        "Written by `python3 dev.py hostile --table`; CI runs `python3 dev.py hostile --some` with ours.",
        "",
        "| client | cases | SAFE | HARM | HANG | UNCLEAR |",
        "|---|---|---|---|---|---|",
    ]
    for client, name in CLIENTS.items():
        lines.append(_totals(name, results[client]))
    if "debug" in results:
        lines.append(_totals("`az acr artifact … --debug`", results["debug"]))
    return "\n".join([*lines, "", "```", _rules(), "```"])


def _rules() -> str:
    return (verdicts or "").partition("\n\n")[2].strip()


def _totals(name: str, found: Mapping[str, Judged | None]) -> str:
    counts = Counter(judged.verdict for judged in found.values() if judged)
    cells = [str(counts[verdict]) for verdict in VERDICTS]
    return f"| {name} | {sum(counts.values())} | {' | '.join(cells)} |"


def _requirements(cases: Sequence[Case], results: Results) -> str:
    lines = [
        "## Requirements",
        "",
        "| | what is asked of a client | cases | safe: ours | oras | regctl |",
        "|---|---|---|---|---|---|",
    ]
    for key, text in REQUIREMENTS.items():
        names = [case.name for case in cases if case.requirement == key]
        safe = []
        for client in CLIENTS:
            judged = [found for name in names if (found := results[client].get(name))]
            safe.append(f"{sum(found.verdict == 'SAFE' for found in judged)} of {len(judged)}")
        lines.append(f"| {key} | {text} | {len(names)} | {' | '.join(safe)} |")
    return "\n".join(lines)


def _table(cases: Sequence[Case], results: Results) -> str:
    lines = [
        "## Cases",
        "",
        "`–`: the client has no such command.",
        "",
        "| case | | what the other side does | command | right | ours | oras | regctl |",
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
    """List exactly what a client did wrong."""
    lines = [
        f"- {case.name}: {judged.verdict}: {_cell('; '.join(judged.reasons))[:200]}"
        for case in cases
        if (judged := found.get(case.name)) and judged.verdict != "SAFE"
    ]
    return "\n".join([f"## Where {name} is not safe", "", *lines]) if lines else ""


def _cell(text: str) -> str:
    """Escape *text* for a cell of a table: nothing in it is Markdown or HTML."""
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
