"""`az` on a terminal, as a person sees it."""

from __future__ import annotations

import os
import pty
import select
import subprocess
import sys
import time

from tests.functional.az import LIMIT, Az, Result

QUESTION = "(y/n): "


def at_terminal(az: Az, *arguments: str, typed: str = "") -> Result:
    """Run `az ARGUMENTS` with a terminal as its stdin, stdout and stderr, and type *typed* at its question.

    The result's stdout has all that the terminal showed.
    """
    since = max((entry.id for entry in az.emulator.log()), default=0)
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [sys.executable, "-m", "azure.cli", *arguments], cwd=az.folder, env={**az.variables, "TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        shown = _converse(ours, typed)
        code = process.wait(LIMIT)
    finally:
        os.close(ours)
    return Result(arguments, code, shown.replace("\r\n", "\n"), "", az.emulator.log(since))


def _converse(terminal: int, typed: str) -> str:
    shown, end = b"", time.monotonic() + LIMIT
    while time.monotonic() < end:
        if not select.select([terminal], [], [], 1)[0]:
            continue
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not block:
            break
        shown += block
        if typed and shown.endswith(QUESTION.encode()):
            os.write(terminal, typed.encode() + b"\n")
            typed = ""
    return shown.decode()
