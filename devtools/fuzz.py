"""`dev.py fuzz`: the targets of tests/fuzz under atheris, from their corpus, for a bounded time.

What it finds ends in `.cache/fuzz/`, with how to run it again. A finding becomes a file of the corpus, which
`tests/unit/test_corpus.py` runs as well, without atheris.
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
"""Seconds until a process has read and run its corpus."""
LONGEST_INPUT = 4096
SLOWEST_INPUT = 25
"""Seconds for one input; twenty is what a command may take at most, and a busy machine is slower."""
MOST_SHOWN = 6000
_MEMORY = os.path.join(os.sep, "dev", "shm")
_RUNS = re.compile(r"stat::number_of_executed_units:\s*(\d+)")


@dataclass(frozen=True)
class Outcome:
    """How one target's process ended. *runs* is the number of inputs that were tried."""

    target: str
    code: int
    runs: int
    output: str


def targets() -> list[str]:
    """The targets' names: the folders of the corpus."""
    return sorted(folder.name for folder in CORPUS.iterdir() if folder.is_dir())


def main(arguments: list[str]) -> int:
    """Fuzz as *arguments* say; 1 if a target fails, 2 for a target that there is not."""
    parser = argparse.ArgumentParser(prog="dev.py fuzz", description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0, help="for all targets together; default: 60")
    parser.add_argument("--target", action="append", choices=targets(), help="only this one; may be repeated")
    parser.add_argument("--seed", type=int, default=1, help="of the mutations; default: 1, for runs that are alike")
    parser.add_argument("--keep", action="store_true", help="add to the corpus what reaches new code")
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
    """Run one target and say how it went; new inputs go to a folder of their own unless they are to be kept."""
    start = time.monotonic()
    with tempfile.TemporaryDirectory() as fresh:
        outcome = _run(target, [f"-max_total_time={seconds}", f"-seed={seed}", fresh, str(CORPUS / target)])
        if keep and outcome.code == 0:
            _run(target, ["-merge=1", str(CORPUS / target), fresh])
            _name_by_content(CORPUS / target)
    ending = "nothing found" if outcome.code == 0 else f"FAILED with exit code {outcome.code}"
    steps.say(f"    {target}: {outcome.runs:,} inputs in {time.monotonic() - start:.0f} s, {ending}")
    if outcome.code:
        _, uncaught, traceback = outcome.output.partition("=== Uncaught")
        steps.say(f"{(uncaught + traceback or outcome.output[-MOST_SHOWN:])[:MOST_SHOWN]}")
        steps.say(f"Run it again: python -m tests.fuzz.run {target} FILE")
    return outcome


def _run(target: str, flags: list[str]) -> Outcome:
    bounds = [f"-max_len={LONGEST_INPUT}", f"-timeout={SLOWEST_INPUT}", "-rss_limit_mb=1024", "-print_final_stats=1"]
    argv = [
        sys.executable,
        "-m",
        "tests.fuzz.run",
        target,
        *bounds,
        f"-artifact_prefix={FOUND}{os.sep}{target}-",
        *flags,
    ]
    # In memory, the targets that write files are ten times as fast.
    memory = {"TMPDIR": _MEMORY} if os.access(_MEMORY, os.W_OK) else {}
    done = subprocess.run(argv, cwd=steps.ROOT, env={**environment.clean(), **memory}, capture_output=True, check=False)
    output = (done.stdout + done.stderr).decode("utf-8", "replace")
    found = _RUNS.search(output)
    return Outcome(target, done.returncode, int(found.group(1)) if found else 0, output)


def _name_by_content(folder: Path) -> None:
    """Give every input the name that its content has; libFuzzer's names are longer."""
    for file in folder.iterdir():
        file.rename(folder / hashlib.sha256(file.read_bytes()).hexdigest()[:16])


def _require_atheris() -> None:
    """Install it at the version that is pinned; raises `steps.Failed` where there is none for this Python."""
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
