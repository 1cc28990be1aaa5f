"""Many commands of the real `az` in one process, which takes as long to start as a command to run."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence

from tests.functional.az import LIMIT, PYTHON, Az, Result, log_since

# Azure CLI's log writes to the standard error of the start of the process.
_SCRIPT = """
import io, json, sys
from azure.cli.core import get_default_cli

class Errors(io.TextIOBase):
    def write(self, text):
        return errors.write(text)

commands, sys.stderr, results = json.load(sys.stdin), Errors(), sys.stdout
for words in commands:
    errors, sys.stdout = io.StringIO(), io.StringIO()
    try:
        code = get_default_cli().invoke(words, out_file=sys.stdout)
    except SystemExit as end:
        code = end.code
    results.write(json.dumps([code, sys.stdout.getvalue(), errors.getvalue()]) + "\\n")
"""


def in_one_process(az: Az, commands: Sequence[Sequence[str]]) -> list[Result]:
    """Run `az acr artifact …` for each of *commands*, one after another; each result has the log of all."""
    return all_in_one_process(az, [["acr", "artifact", *words] for words in commands])


def all_in_one_process(az: Az, commands: Sequence[Sequence[str]]) -> list[Result]:
    """Run `az …` for each of *commands* in the same way."""
    since = az.emulator.last_id()
    done = subprocess.run(
        [PYTHON, "-c", _SCRIPT], cwd=az.folder, env=dict(az.variables), input=json.dumps(commands),
        capture_output=True, encoding="utf-8", timeout=2 * LIMIT,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    log = log_since(az.emulator, since)
    ended = [json.loads(line) for line in done.stdout.splitlines()]
    return [Result(tuple(words), *end, log) for words, end in zip(commands, ended, strict=True)]
