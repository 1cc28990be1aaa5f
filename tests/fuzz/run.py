"""Run one target under atheris: `python -m tests.fuzz.run TARGET [libFuzzer's flags] [FOLDER or FILE ...]`.

https://github.com/google/atheris and https://llvm.org/docs/LibFuzzer.html#options. A FILE is run once, to look at a
finding again.
"""

from __future__ import annotations

import importlib
import logging
import sys

import atheris

TRACED = ["azext_acrartifact", "http.client"]
"""Packages whose branches guide the fuzzer."""


def main() -> None:
    """Import the target with its branches counted, and hand it to libFuzzer, which ends the process."""
    name, flags = sys.argv[1], sys.argv[2:]
    logging.disable(logging.CRITICAL)
    atheris.enabled_hooks.add("str")
    for module in [module for module in sys.modules if module.startswith(tuple(TRACED))]:
        del sys.modules[module]
    with atheris.instrument_imports(include=TRACED):
        target = importlib.import_module(f"tests.fuzz.{name}")
    atheris.Setup([sys.argv[0], *flags], target.check)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
