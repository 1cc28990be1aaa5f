"""`python -m bench`: measure cases, record each in bench/results.jsonl, and write bench/results.md from the records."""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
from collections.abc import Iterator, Sequence
from itertools import groupby
from pathlib import Path

from bench import cases, checks, machine, networks, records, report, setting, short, site, summary, trees
from bench.cases import Case
from bench.process import CommandFailed
from bench.records import CHECKS, Origin, Record
from bench.rounds import Result, Rounds
from bench.setting import Setting
from bench.site import Site
from devtools import steps

HERE = Path(__file__).parent
PEERS = ("oras", "regctl", "crane")
SHORT_RUNS = 3
SHORT_TRIES = 5


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Return the parsed *arguments*; end the process if they are wrong."""
    parser = argparse.ArgumentParser(prog="dev.py bench", description=__doc__)
    parser.add_argument("--wheel", type=Path, help="the extension's wheel; default: built now")
    parser.add_argument("--runs", type=int, default=5, help="rounds of each case (5)")
    parser.add_argument("--only", help="cases: W2,W5, or W2-push, or @far, or W2-pull@far; default: all, for hours")
    parser.add_argument("--disk", type=Path, help="a folder on a disk, for the cases @disk")
    parser.add_argument("--checks", action="store_true", help="measure the cost of a pull's checks instead of cases")
    parser.add_argument("--peers", default=",".join(PEERS), help="clients to compare with (oras,regctl,crane)")
    parser.add_argument("--output", type=Path, default=HERE, help="folder of results.jsonl and results.md (bench/)")
    parser.add_argument("--report", action="store_true", help="only write results.md from results.jsonl")
    parser.add_argument(
        "--short", action="store_true", help="run small cases and compare with bench/baseline.json; for CI"
    )
    parser.add_argument("--record", action="store_true", help="with --short: write bench/baseline.json")
    return parser.parse_args(arguments)


def measure(chosen: Sequence[Case], used: Setting, runs: int, peers: Sequence[str]) -> Iterator[Result]:
    """Yield the result of each case as it comes. Raise `CommandFailed`."""
    for (network, plain), group in groupby(chosen, key=lambda case: (case.setup.network, case.setup.plain)):
        with site.opened(network, used, plain=plain) as opened:
            for (shape, disk), of_tree in groupby(group, key=lambda case: (case.shape, case.setup.disk)):
                yield from _on_tree(opened, shape, used.files(on_disk=disk), list(of_tree), runs, peers)


def _on_tree(
    opened: Site, shape: trees.Shape, files: Path, chosen: list[Case], runs: int, peers: Sequence[str]
) -> Iterator[Result]:
    folder = files / "tree"
    rounds = Rounds(opened, trees.make(shape, folder), files, peers=peers)
    try:
        for case in chosen:
            steps.say(f"==> {case.title}")
            yield rounds.measure(case, runs)
    finally:
        rounds.close()
        shutil.rmtree(folder)


def run(chosen: Sequence[Case], options: argparse.Namespace) -> None:
    """Measure the *chosen* cases, and record and print each as it comes. Raise `CommandFailed`."""
    file = options.output / "results.jsonl"
    with setting.opened(options.wheel, options.disk) as used:
        origin = Origin.now(options.wheel, machine.words(in_memory=used.in_memory))
        if options.checks:
            costs = tuple(checks.measure(used.scratch, options.runs))
            records.put(file, Record(CHECKS, options.runs, origin, costs=costs))
            print(report.checks(costs))
            return
        for result in measure(chosen, used, options.runs, options.peers.split(",")):
            case = result.case
            record = Record(case.name, options.runs, origin, tuple(summary.rows(result)))
            records.put(file, record)
            here = {case.name: record}
            print(f"\n{report.details([case], here)}\n\n{report.overview([case], here)}\n", flush=True)


def run_short(used: Setting, *, record: bool) -> int:
    """Compare with the baseline, or write it; return 1 on a regression.

    Three rounds are few on a shared machine: measure cases that regressed again, and count all their rounds.
    """
    chosen, limits = short.cases(), short.limits()
    found = short.measured(measure(chosen, used, SHORT_RUNS, []))
    if record:
        for _ in range(SHORT_TRIES):
            found = short.together(found, short.measured(measure(chosen, used, SHORT_RUNS, [])))
        short.record(short.figures(found))
        return 0
    recorded = short.read()
    for _ in range(SHORT_TRIES):
        regressions = short.regressions(short.figures(found), recorded, limits)
        known = [case for case in chosen if short.name_of(case) in recorded]
        worse = [case for case in known if any(text.startswith(short.name_of(case) + ": ") for text in regressions)]
        if not worse:
            break
        steps.say("Measured again: " + "; ".join(regressions))
        found = short.together(found, short.measured(measure(worse, used, SHORT_RUNS, [])))
    regressions = short.regressions(short.figures(found), recorded, limits)
    steps.say("\n".join([*short.lines(short.figures(found), recorded), *regressions]))
    return 1 if regressions else 0


def possible(chosen: Sequence[Case], only: str | None) -> list[Case]:
    """Return the *chosen* cases that this machine can measure; raise `steps.Failed` if *only* names another."""
    obstacle = networks.obstacle()
    left_out = [case.name for case in chosen if obstacle and case.setup.network.simulated]
    if left_out:
        text = f"Not measured, since a simulated network {obstacle}: {', '.join(left_out)}."
        if only:
            raise steps.Failed(text)
        steps.say(text)
    return [case for case in chosen if case.name not in left_out]


def main(arguments: list[str]) -> int:
    """Run the bench and return the exit code."""
    options = parse(arguments)
    # End the servers and networks too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        chosen = cases.chosen(options.only, disk=options.disk is not None)
    except ValueError as error:
        raise steps.Failed(f"{error}.", 2) from error
    try:
        if options.report:
            text = report.text(records.read(options.output / "results.jsonl"))
            (options.output / "results.md").write_text(text, encoding="utf-8")
        elif options.short:
            with setting.opened(options.wheel) as used:
                return run_short(used, record=options.record)
        else:
            run(possible(chosen, options.only), options)
    except CommandFailed as failure:
        raise steps.Failed(str(failure)) from failure
    return 0


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
