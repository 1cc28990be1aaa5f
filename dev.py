"""One command a chore: `python3 dev.py CHORE [ARGUMENT ...]`.

Plain standard library; Linux, macOS and Windows; any Python from 3.10. The first chore makes `.venv` beside
this file from the pinned requirements, and each says what it does while it does it.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit(f"dev.py needs Python 3.10 or later, and this is {sys.version.split()[0]} ({sys.executable}).")

from typing import NamedTuple

from devtools import environment, steps, venv


class Chore(NamedTuple):
    """What a chore runs: `python -m MODULE` in the virtual environment, after installing *requirements*."""

    module: str
    requirements: venv.Requirements
    summary: str


CHORES = {
    "demo": Chore("devtools.demo", "demo", "sign in, push, show, pull, delete and build with `az`, on a local Azure"),
    "test": Chore("devtools.suite", "dev", "unit, house, emulator and functional tests; arguments go to pytest"),
    "lint": Chore("devtools.lint", "dev", "ruff, mypy, azdev style, linter and scan; or only those named"),
    "interop": Chore("devtools.interop", "dev", "both ways with oras, crane, regctl, skopeo and other registries"),
    "faults": Chore("devtools.faults", "dev", "transfers that are killed, cut and slowed; 200 schedules of faults"),
    "fuzz": Chore("devtools.fuzz", "dev", "the parsers and the extractor under atheris, for a bounded time"),
    "mutate": Chore("devtools.mutate", "dev", "take each check away and see a test fail (hours)"),
    "hostile": Chore("devtools.hostile", "dev", "600 hostile answers; --some of them; --table with other tools too"),
    "live": Chore("devtools.live", "dev", "the life of an artifact in a registry of yours, by the login that you have"),
    "bench": Chore("devtools.bench", "dev", "the measurements in bench/"),
    "wheel": Chore("devtools.wheel", "demo", "build dist/acrartifact-*.whl, look into it, `az extension add` it"),
    "emulator": Chore("devtools.emulator", "demo", "start the local Azure and say how to use it"),
    "shell": Chore("devtools.shell", "demo", "a shell with the emulator up, az signed in, the extension installed"),
}


def usage() -> str:
    """The help text: one line a chore."""
    lines = [f"  {name:<9} {chore.summary}" for name, chore in CHORES.items()]
    return "\n".join(["usage: python3 dev.py CHORE [ARGUMENT ...]", "", *lines])


def main(arguments: list[str]) -> int:
    """Run the chore that *arguments* name; its exit code, or 2 when there is no such chore."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    chore = CHORES.get(arguments[0])
    if chore is None:
        print(f"dev.py: there is no chore {arguments[0]!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        python = venv.ready(chore.requirements)
        return steps.call([str(python), "-m", chore.module, *arguments[1:]], environment.for_pip())
    except steps.Failed as failure:
        print(f"dev.py: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
