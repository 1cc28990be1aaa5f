"""`az` on a terminal, as a person sees it."""

from __future__ import annotations

import functools
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable

from tests.functional.az import LIMIT, PYTHON, Az, Result, log_since

if sys.platform != "win32":
    import pty

QUESTION = "(y/n): "
PATIENCE = 5
"""Seconds without output after which a person presses Ctrl-C again: Python looks for a signal before it waits for a
key, and does not notice one that comes between the two."""


def at_terminal(az: Az, *arguments: str, typed: str = "", stop: int = 0) -> Result:
    """Run `az ARGUMENTS` with a terminal as its stdin, stdout and stderr. At its question, type *typed*, or send the
    signal *stop*.

    The result's stdout has all that the terminal showed.
    """
    since = az.emulator.last_id()
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen(
            [PYTHON, "-m", "azure.cli", *arguments], cwd=az.folder, env={**az.variables, "TERM": "xterm"},
            stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True,
        )  # fmt: skip
        os.close(theirs)
        respond = functools.partial(process.send_signal, stop) if stop else functools.partial(_type, ours, typed)
        shown = _converse(ours, respond, again=bool(stop))
        code = process.wait(LIMIT)
    finally:
        os.close(ours)
    return Result(arguments, code, shown.replace("\r\n", "\n"), "", log_since(az.emulator, since))


def _type(terminal: int, typed: str) -> None:
    if typed:
        os.write(terminal, typed.encode() + b"\n")


def _converse(terminal: int, respond: Callable[[], None], again: bool) -> str:
    shown, end, responded = b"", time.monotonic() + LIMIT, False
    while time.monotonic() < end:
        if not select.select([terminal], [], [], PATIENCE)[0]:
            if again and responded:
                respond()
            continue
        try:
            block = os.read(terminal, 65536)
        except OSError:  # Linux: the other end is closed
            break
        if not block:
            break
        shown += block
        if not responded and shown.endswith(QUESTION.encode()):
            responded = True
            respond()
    return shown.decode()
