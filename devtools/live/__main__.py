"""`dev.py live SERVER`: test the extension against a registry in Azure, with your `az login`. Not part of CI."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from devtools import environment, steps
from devtools.live import comparison, deletion, recording
from devtools.live.https import Https
from devtools.live.leftovers import PREFIX, Leftovers
from devtools.live.recorder import Recorder
from devtools.live.sign_in import Login

USAGE = """\
python3 dev.py live SERVER [ARGUMENT ...]        run tests/live on SERVER, such as myregistry.azurecr.io; pytest gets
                                                 the arguments, and --mebibytes N sets the size of the large file
python3 dev.py live SERVER --record FILE         write what SERVER responds to plain requests, without secrets and
                                                 names; with --quick, without large chunks and long lists
python3 dev.py live --compare FILE               compare such a file with the emulator
python3 dev.py live SERVER --delete REPOSITORY…  delete what a run that was killed has left"""


def main(arguments: list[str]) -> int:
    """Do what *arguments* say and return the exit code: of pytest, or 1 for differences from the emulator."""
    if arguments[:1] == ["--compare"] and len(arguments) == 2:
        recorded = recording.read(Path(arguments[1]))
        return comparison.report(recorded.records, comparison.emulated(recorded))
    if not arguments or "." not in arguments[0] or arguments[0].startswith("-"):
        raise steps.Failed(USAGE, 2)
    server, *rest = arguments
    if rest[:1] == ["--record"] and rest[1:] and rest[2:] in ([], ["--quick"]):
        recording.write(recording.record(server.lower(), os.environ, quick=len(rest) > 2), Path(rest[1]))
        return 0
    if rest[:1] == ["--delete"] and rest[1:]:
        return _delete(server.lower(), rest[1:])
    pytest = [sys.executable, "-m", "pytest", "tests/live", "--timeout", "3600", *rest]
    return steps.run("live tests", pytest, {**environment.for_pip(), "ACRARTIFACT_LIVE": server.lower()})


def _delete(server: str, repositories: list[str]) -> int:
    foreign = [name for name in repositories if not name.startswith(f"{PREFIX}/")]
    if foreign:
        raise steps.Failed(f"{foreign[0]} is not below {PREFIX}/, so no live run made it. Nothing was deleted.", 2)
    run = Leftovers.of(server, repositories)
    deletion.delete(Recorder(Https(os.environ), Login(os.environ), run), repositories)
    return 0


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
