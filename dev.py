"""One command a chore: `python3 dev.py CHORE [ARGUMENT ...]`.

Standard library only; runs on Linux, macOS and Windows with Python 3.10 or later. The first chore makes `.venv`
beside this file from the pinned requirements, and every chore reports its progress.
"""

import sys

if sys.version_info < (3, 10):
    sys.exit(f"dev.py needs Python 3.10 or later, and this is {sys.version.split()[0]} ({sys.executable}).")

from typing import NamedTuple

from devtools import environment, steps, venv


class Chore(NamedTuple):
    """A chore: `python -m MODULE` in the virtual environment, after *requirements* are installed."""

    module: str
    requirements: venv.Requirements
    summary: str


CHORES = {
    "demo": Chore("devtools.demo", "demo", "sign in, push, show, pull, delete and build with `az`, on a local Azure"),
    "test": Chore("devtools.suite", "dev", "run the tests; --all: the slow ones and coverage, too"),
    "lint": Chore("devtools.lint", "dev", "run ruff, mypy, azdev's checks and actionlint, or only those named"),
    "interop": Chore("devtools.interop", "dev", "exchange artifacts with oras, crane, regctl, skopeo and registries"),
    "faults": Chore("devtools.faults", "dev", "kill, cut and slow down transfers; 200 schedules of faults"),
    "fuzz": Chore("devtools.fuzz", "dev", "fuzz the parsers and the extractor with atheris, for a bounded time"),
    "mutate": Chore("devtools.mutate", "dev", "remove each check and see a test fail (hours)"),
    "hostile": Chore("devtools.hostile", "dev", "send 600 hostile responses, or --some; --table: to other tools too"),
    "live": Chore("devtools.live", "dev", "test on your registry in Azure with your `az login`; deletes what it wrote"),
    "bench": Chore("devtools.bench", "dev", "measure against other tools"),
    "windows": Chore("devtools.windows", "dev", "run imports, demo, digests, unit tests on Windows' Python, in Wine"),
    "docs": Chore("devtools.docs", "demo", "build the documentation site into dist/site; --check it in a browser"),
    "wheel": Chore("devtools.wheel", "demo", "build dist/acrartifact-*.whl, check it, `az extension add` it"),
    "release": Chore("devtools.release", "demo", "make dist/: wheel, digest, index, notes and SBOM, reproducibly"),
    "oldest": Chore("devtools.oldest", "dev", "run the main functional tests with the oldest promised Azure CLI"),
    "index": Chore("devtools.index", "dev", "make and check the pull request for the index of Azure CLI's extensions"),
    "emulator": Chore("devtools.emulator", "demo", "start the local Azure and print how to use it"),
    "shell": Chore("devtools.shell", "demo", "open a shell with a local Azure, az signed in, the extension installed"),
}


def usage() -> str:
    """Return the help text, with one line for each chore."""
    lines = [f"  {name:<9} {chore.summary}" for name, chore in CHORES.items()]
    return "\n".join(["usage: python3 dev.py CHORE [ARGUMENT ...]", "", *lines])


def main(arguments: list[str]) -> int:
    """Run the chore that *arguments* name and return its exit code, or 2 when there is no such chore."""
    if not arguments or arguments[0] in ("-h", "--help", "help"):
        print(usage())
        return 0 if arguments else 2
    chore = CHORES.get(arguments[0])
    if chore is None:
        print(f"dev.py: there is no chore {arguments[0]!r}.\n\n{usage()}", file=sys.stderr)
        return 2
    try:
        python = venv.OURS.ready(chore.requirements)
        return steps.call([str(python), "-m", chore.module, *arguments[1:]], environment.for_pip())
    except steps.Failed as failure:
        print(f"dev.py: {failure}", file=sys.stderr)
        return failure.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
