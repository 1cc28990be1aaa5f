"""`python -m bench`: measure, print, and write bench/results.md and bench/results.svg."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from bench import cases, chart, checks, machine, networks, report, setting, short, site, summary, trees
from bench.cases import Case
from bench.checks import Cost
from bench.process import CommandFailed
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
    parser.add_argument("--only", help="cases: W2,W6, or W2-push, or W2-pull@far (loopback, far, capped)")
    parser.add_argument("--peers", default=",".join(PEERS), help="clients to compare with (oras,regctl,crane)")
    parser.add_argument(
        "--output", type=Path, help="folder of results.md and results.svg; default: bench/, unless --only"
    )
    parser.add_argument(
        "--short", action="store_true", help="run small cases and compare with bench/baseline.json; for CI"
    )
    parser.add_argument("--record", action="store_true", help="with --short: write bench/baseline.json")
    return parser.parse_args(arguments)


def measure(chosen: Sequence[Case], used: Setting, runs: int, peers: Sequence[str]) -> list[Result]:
    """Measure each case; without the rights to simulate a network, its results say why. Raise `CommandFailed`."""
    results: list[Result] = []
    for network, group in groupby(chosen, key=lambda case: case.network):
        here = list(group)
        obstacle = networks.obstacle() if network.simulated else None
        if obstacle:
            results += [Result(case, obstacle=obstacle) for case in here]
            continue
        with site.opened(network, used) as opened:
            for shape, of_shape in groupby(here, key=lambda case: case.shape):
                results += _on_tree(opened, shape, list(of_shape), runs, peers)
    return results


def _on_tree(opened: Site, shape: trees.Shape, chosen: list[Case], runs: int, peers: Sequence[str]) -> list[Result]:
    folder = opened.setting.scratch / "tree"
    rounds = Rounds(opened, trees.make(shape, folder), peers=peers)
    found = []
    try:
        for case in chosen:
            steps.say(f"==> {case.title}")
            found.append(rounds.measure(case, runs))
            print(f"\n### {case.title}\n\n{report.details(found[-1])}", flush=True)
    finally:
        rounds.close()
        shutil.rmtree(folder)
    return found


def publish(results: list[Result], costs: list[Cost], words: str, command: str, output: Path) -> None:
    """Write the report and the chart into *output*."""
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.md").write_text(report.text(results, costs, words, command), encoding="utf-8")
    bars = [
        chart.Bar(result.case.title, times, result.case.goal)
        for result in results
        if (times := summary.speed(summary.rows(result))) is not None
    ]
    title = "Times as fast as oras at its better setting, az's start-up apart (green: goal)"
    (output / "results.svg").write_text(chart.svg(bars, title), encoding="utf-8")


def command(options: argparse.Namespace) -> str:
    """Return the command that makes the report again, for any output folder."""
    only = ["--only", options.only] if options.only else []
    peers = ["--peers", options.peers] if options.peers != ",".join(PEERS) else []
    return " ".join(["python3 dev.py bench", *only, "--runs", str(options.runs), *peers])


def run_short(used: Setting, *, record: bool) -> int:
    """Compare with the baseline, or write it; return 1 on a regression.

    Three rounds are few on a shared machine: measure cases that regressed again, and count all their rounds.
    """
    chosen = short.cases()
    found = short.measured(measure(chosen, used, SHORT_RUNS, []))
    if record:
        for _ in range(SHORT_TRIES):
            found = short.together(found, short.measured(measure(chosen, used, SHORT_RUNS, [])))
        short.record(short.figures(found))
        return 0
    recorded = short.read()
    for _ in range(SHORT_TRIES):
        regressions = short.regressions(short.figures(found), recorded)
        worse = [case for case in chosen if any(text.startswith(short.name_of(case) + ": ") for text in regressions)]
        if not worse:
            break
        steps.say("Measured again: " + "; ".join(regressions))
        found = short.together(found, short.measured(measure(worse, used, SHORT_RUNS, [])))
    regressions = short.regressions(short.figures(found), recorded)
    steps.say("\n".join([*short.lines(short.figures(found), recorded), *regressions]))
    return 1 if regressions else 0


def main(arguments: list[str]) -> int:
    """Run the bench and return the exit code."""
    options = parse(arguments)
    try:
        chosen = cases.chosen(options.only)
    except ValueError as error:
        raise steps.Failed(f"{error}.", 2) from error
    try:
        with setting.opened(options.wheel) as used:
            if options.short:
                return run_short(used, record=options.record)
            results = measure(chosen, used, options.runs, options.peers.split(","))
            costs = checks.measure(used.scratch, options.runs) if options.output or not options.only else []
            words = machine.words(in_memory=used.in_memory, rounds=options.runs)
    except CommandFailed as failure:
        raise steps.Failed(str(failure)) from failure
    print(f"\n{report.overview(results)}")
    output = options.output or (None if options.only else HERE)
    if output:
        publish(results, costs, words, command(options), output)
    return 0


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
