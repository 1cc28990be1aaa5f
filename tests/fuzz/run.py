"""Run one target under atheris: `python -m tests.fuzz.run TARGET [libFuzzer's flags] [FOLDER or FILE ...]`.

https://github.com/google/atheris and https://llvm.org/docs/LibFuzzer.html#options. A FILE is run once, to look at a
finding again.

The branches that an input reaches decide what is tried next. So nothing here may depend on chance: not the time, not
addresses, not the turns that threads take. Then a seed leads to the same inputs each time.
"""

from __future__ import annotations

import importlib
import itertools
import logging
import random
import secrets
import sys
import tempfile
import threading
import time

import atheris
from atheris.instrument_bytecode import Instruction

TRACED = ["azext_acrartifact", "http.client"]
"""Packages whose branches guide the fuzzer."""
NOW = 1_800_000_000.0
NEEDED_THREADS = "acrartifact-transfer"
_start_thread = threading.Thread.start


def main() -> None:
    """Import the target with its branches counted, and hand it to libFuzzer, which ends the process."""
    name, flags = sys.argv[1], sys.argv[2:]
    logging.disable(logging.CRITICAL)
    _exclude_chance()
    atheris.enabled_hooks.add("str")
    for module in [module for module in sys.modules if module.startswith(tuple(TRACED))]:
        del sys.modules[module]
    with atheris.instrument_imports(include=TRACED):
        check = importlib.import_module(f"tests.fuzz.{name}").check

    def repeatable(data: bytes) -> None:
        random.seed(0)
        tempfile._name_sequence = map(str, itertools.count())  # type: ignore[attr-defined]
        check(data)

    atheris.Setup([sys.argv[0], *flags], repeatable)
    atheris.Fuzz()


def _exclude_chance() -> None:
    time.time = lambda: NOW
    secrets.token_hex = lambda nbytes=None: random.randbytes(nbytes or 32).hex()
    threading.Thread.start = _start_if_needed  # type: ignore[method-assign]
    sys.setswitchinterval(60)
    # atheris numbers branches in the order of a set of instructions, whose hash is their address.
    numbers = itertools.count()
    Instruction.__hash__ = lambda self: self.__dict__.setdefault("number", next(numbers))  # type: ignore[method-assign]


def _start_if_needed(thread: threading.Thread) -> None:
    """Refuse threads as a busy system might, so that the caller does their work itself."""
    if not thread.name.startswith(NEEDED_THREADS):
        raise RuntimeError("can't start new thread")
    _start_thread(thread)


if __name__ == "__main__":
    main()
