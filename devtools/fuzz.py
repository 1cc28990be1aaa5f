"""`dev.py fuzz`: run the targets of tests/fuzz under atheris, from their corpus, with a number of inputs.

The number is `RATES` times the seconds, so that a seed leads to the same inputs on every machine, save for `listing`,
whose threads take turns as the system likes. It writes findings to `.cache/fuzz/` and prints how to repeat them.
Add a finding to the corpus: `tests/unit/test_corpus.py` runs every file of the corpus, without atheris.
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from devtools import environment, steps

FOLDER = steps.ROOT / "tests" / "fuzz"
CORPUS = FOLDER / "corpus"
FOUND = steps.ROOT / ".cache" / "fuzz"
REQUIREMENTS = steps.ROOT / "requirements" / "fuzz.txt"
PROCESSES = 2
STARTING = 2
"""Seconds that a process needs to read and run its corpus."""
RATES = {
    "archive": 1000, "cbor": 4000, "chain": 1500, "credentials": 2000, "head": 6000, "headers": 1750, "inflate": 750,
    "jws": 3000, "layout": 1250, "listing": 2000, "manifest": 7500, "notes": 600, "plan": 4500, "policy": 3000,
    "reference": 6000, "text": 3500,
}  # fmt: skip
"""Inputs per second of each target, on two cores."""
LONGEST = 3
"""The most time for a target's inputs, as a multiple of the time that `RATES` expects."""
LONGEST_INPUT = 4096
SLOWEST_INPUT = 25
"""Seconds for one input: the 20 of a whole command, and some more for a busy machine."""
MOST_SHOWN = 6000
_MEMORY = os.path.join(os.sep, "dev", "shm")
_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True)
class Outcome:
    """The result of one target's process. *runs* is the number of inputs that it tried."""

    target: str
    code: int
    runs: int
    output: str


def targets() -> list[str]:
    """Return the names of the targets, which are the folders of the corpus."""
    return sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())


def main(arguments: list[str]) -> int:
    """Fuzz the targets in *arguments*, by default all; return 1 if one fails, 2 if there is no such target."""
    parser = argparse.ArgumentParser(prog="dev.py fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together, about; default: 60")
    parser.add_argument("--target", action="append", choices=targets(), help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="seed of the mutations; default: 1, for repeatable runs")
    parser.add_argument("--keep", action="store_true", help="add inputs that reach new code to the corpus")
    options = parser.parse_args(arguments)
    _require_atheris()
    chosen = options.target or targets()
    each = max(1, int(options.seconds / -(-len(chosen) // PROCESSES)) - STARTING)
    steps.say(f"==> fuzzing {len(chosen)} targets for {each} s each, {PROCESSES} at a time")
    FOUND.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(PROCESSES) as pool:
        outcomes = list(pool.map(lambda name: _fuzzed(name, each, options.seed, options.keep), chosen))
    return 1 if any(outcome.code for outcome in outcomes) else 0


def _fuzzed(target: str, seconds: int, seed: int, keep: bool) -> Outcome:
    """Run one target and report its result; add new inputs to the corpus only with *keep*."""
    start, runs = time.monotonic(), RATES[target] * seconds
    with tempfile.TemporaryDirectory() as fresh:
        bounds = [f"-runs={runs}", f"-max_total_time={LONGEST * seconds}", f"-seed={seed}"]
        # A folder lists its files in any order, and reading it again depends on the time.
        first = ",".join(map(str, sorted((CORPUS / target).iterdir())))
        outcome = _run(target, [*bounds, "-reload=0", f"-seed_inputs={first}", fresh])
        if keep and outcome.code == 0:
            _run(target, ["-merge=1", str(CORPUS / target), fresh])
            _name_by_content(CORPUS / target)
    ending = "nothing found" if outcome.code == 0 else f"FAILED with exit code {outcome.code}"
    if outcome.code == 0 and outcome.runs < runs:
        ending += f"; the time was over before {runs:,} inputs"
    steps.say(f"    {target}: {outcome.runs:,} inputs in {time.monotonic() - start:.0f} s, {ending}")
    if outcome.code:
        _, uncaught, traceback = outcome.output.partition("=== Uncaught")
        steps.say((uncaught + traceback or outcome.output[-MOST_SHOWN:])[:MOST_SHOWN])
        steps.say(f"Repeat it: python -m tests.fuzz.run {target} FILE")
    return outcome


def _run(target: str, flags: list[str]) -> Outcome:
    bounds = [f"-max_len={LONGEST_INPUT}", f"-timeout={SLOWEST_INPUT}", "-rss_limit_mb=1024", "-print_final_stats=1"]
    findings = f"-artifact_prefix={FOUND}{os.sep}{target}-"
    argv = [sys.executable, "-m", "tests.fuzz.run", target, *bounds, findings, *flags]
    # Targets that write files are ten times as fast in memory.
    memory = _MEMORY if os.access(_MEMORY, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as temporary:
        # The order of sets decides which branches are reached, and so what the seed leads to.
        env = {**environment.clean(), "TMPDIR": temporary, "PYTHONHASHSEED": "0"}
        done = subprocess.run(argv, cwd=steps.ROOT, env=env, capture_output=True, check=False)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    found = _RUNS.search(output)
    return Outcome(target, done.returncode, int(found.group(1)) if found else 0, output)


def _name_by_content(folder: Path) -> None:
    """Rename every input to the digest of its content; libFuzzer's names are longer."""
    for file in folder.iterdir():
        file.rename(folder / hashlib.sha256(file.read_bytes()).hexdigest()[:16])


def _require_atheris() -> None:
    """Install the pinned version; raise `steps.Failed` if there is none for this Python."""
    with contextlib.suppress(metadata.PackageNotFoundError):
        if f"atheris=={metadata.version('atheris')}" in REQUIREMENTS.read_text(encoding="utf-8").splitlines():
            return
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps"]
    only_wheels = ["--only-binary", ":all:", "--requirement", str(REQUIREMENTS)]
    if steps.run("installing requirements/fuzz.txt", [*pip, *only_wheels], environment.for_pip()):
        version = ".".join(map(str, sys.version_info[:2]))
        raise steps.Failed(f"Nothing was fuzzed: there is no wheel of atheris for Python {version} on {sys.platform}.")


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
