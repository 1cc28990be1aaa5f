"""The report as Markdown: one table of all cases for people, and all figures below, folded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from itertools import groupby

from bench.cases import CASES, SETUPS, Case
from bench.checks import Cost
from bench.goals import NONE, judge
from bench.ratios import OURS, Row, best_oras, named, ours, speed, upper_bound
from bench.records import CHECKS, Record

LEGEND = """\
Medians of wall time, in seconds.

- **ours** is the real `az acr artifact`; the start of `az` itself is in brackets. **times** is our speed as a multiple
  of that of oras, with that start taken off.
- **oras** runs at its default, and at the best of 8, 16, 32 and 64 requests in flight. The better of both counts; its
  setting is in brackets. regctl and crane pack no folders, and are left out where they take minutes. crane pushes an
  OCI layout that is hashed beforehand.
- **at most** is the limit of the machine: the service and the simulated network share its processors with the client,
  and their processor time alone already takes this long. One blob goes up over one connection, whose rate is limited,
  too. A goal beyond it is *not visible*.
- The registry has the shape of Azure Container Registry: HTTP/1.1 over TLS, and each blob comes by a redirect from
  another host. It is nginx before CNCF distribution: see `docs/decisions/0009-what-the-bench-can-show.md`. **plain** is
  CNCF distribution alone, with HTTP/2 and without redirects.
- **near** is a machine in the registry's region: 2 ms and 200 MiB/s a connection. **far** is 20 ms and 50 MiB/s a
  connection. Files are in memory, except for **disk**.
- Each goal also limits the connections to a host: to the requests in flight and two."""

CHECKS_TEXT = """\
A pull trusts nothing. This is its processor time, in one process and without a network, compared with the same work by
the standard library alone, which checks nothing and can leave a damaged older file. It is part of the times above."""

HEAD = ("workload", "where", "ours", "oras", "regctl", "crane", "times", "at most", "goal", "")
DETAILS = (
    "case", "client", "wall s", "least s", "CPU s", "service's CPU s", "memory MiB", "MiB up", "MiB down",
    "requests to registry + storage", "connections", "measured",
)  # fmt: skip


def text(records: Mapping[str, Record]) -> str:
    """Return the whole report."""
    first = {(case.workload, case.action): number for number, case in reversed([*enumerate(CASES)])}
    in_order = sorted(CASES, key=lambda case: (first[case.workload, case.action], SETUPS.index(case.setup)))
    measured = [case for case in in_order if case.name in records]
    missing = [case.name for case in in_order if case.name not in records]
    parts = ["# Measurements", overview(measured, records), LEGEND]
    parts += [f"Not measured yet: {', '.join(missing)}."] if missing else []
    parts += dict.fromkeys(record.origin.machine for record in records.values())
    parts.append("`python3 dev.py bench --only W2-pull@near` measures one case, and `--report` writes this page.")
    parts += ["## All figures", *_folded(measured, records)]
    if CHECKS in records:
        parts += ["## The cost of the checks", CHECKS_TEXT, checks(records[CHECKS].costs)]
    return "\n\n".join(parts) + "\n"


def overview(cases: Iterable[Case], records: Mapping[str, Record]) -> str:
    """Return a table with one line for each case."""
    return table(HEAD, [_line(case, records[case.name]) for case in cases])


def details(cases: Iterable[Case], records: Mapping[str, Record]) -> str:
    """Return a table of all figures of *cases*, with one line for each client."""
    lines = [
        [case.name if row.client == OURS else "", *_figures(row), _origin(records[case.name])]
        for case in cases
        for row in records[case.name].rows
    ]
    return table(DETAILS, lines)


def checks(costs: Iterable[Cost]) -> str:
    """Return a table with one line for each check, in milliseconds."""
    head = ("work", "checked ms", "unchecked ms", "difference ms")
    numbers = [(cost.what, cost.checked, cost.unchecked, cost.checked - cost.unchecked) for cost in costs]
    return table(head, [(what, *(f"{number:.0f}" for number in times)) for what, *times in numbers])


def table(head: Iterable[str], lines: Iterable[Iterable[str]]) -> str:
    """Return a Markdown table, with the first column aligned left and the others right."""
    names = list(head)
    rule = ["---", *["--:"] * (len(names) - 1)]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in [names, rule, *lines])


def _line(case: Case, record: Record) -> list[str]:
    rows = record.rows
    mine, oras, times = ours(rows), best_oras(rows), speed(rows, best_oras(rows))
    most = upper_bound(rows, oras, record.origin.cores, case.one_connection)
    cells = [
        f"{mine.wall:.2f} ({mine.az_wall:.2f})" if mine else NONE,
        f"{oras.wall:.2f} ({oras.client.split()[-1].replace('oras', 'default')})" if oras else NONE,
        *(f"{row.wall:.2f}" if (row := named(rows, peer)) else NONE for peer in ("regctl", "crane")),
        *(f"{value:.2f} ×" if value else NONE for value in (times, most)),
    ]
    verdict = judge(case.goal, case.in_flight, rows, record.origin.cores, case.one_connection)
    what = f"{case.workload} {case.action.value}: {case.shape.title}"
    return [what, case.setup.name, *cells, str(case.goal), str(verdict)]


def _folded(cases: Iterable[Case], records: Mapping[str, Record]) -> Iterator[str]:
    for name, of_workload in groupby(cases, key=lambda case: f"{case.workload}: {case.shape.title}"):
        yield f"<details><summary>{name}</summary>\n\n{details(of_workload, records)}\n\n</details>"


def _figures(row: Row) -> list[str]:
    hosts = row.hosts.values()
    sizes = (row.memory, sum(host.bytes_up for host in hosts), sum(host.bytes_down for host in hosts))
    return [
        row.client,
        *(f"{seconds:.2f}" for seconds in (row.wall, row.least, row.cpu, row.service_cpu)),
        *(f"{size / 2**20:.0f}" for size in sizes),
        " + ".join(f"{host.requests:,}" for host in hosts) or NONE,
        " + ".join(f"{host.connections:,}" for host in hosts) or NONE,
    ]


def _origin(record: Record) -> str:
    return f"{record.origin.date}, {record.origin.version}, {record.rounds} rounds"
