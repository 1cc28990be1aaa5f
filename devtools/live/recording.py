"""A recording: made from a registry, written to a file, read from one."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from devtools import steps
from devtools.live.deletion import delete
from devtools.live.https import Https
from devtools.live.leftovers import Leftovers
from devtools.live.probes import GROUPS
from devtools.live.recorder import Group, Recorder
from devtools.live.records import Record
from devtools.live.sign_in import Login

FORMAT = 1
"""The number of the file's format; `read` refuses others."""


@dataclass(frozen=True)
class Recording:
    """The records of a registry, in the order of the requests; *quick* ones have no large chunks and long lists."""

    records: list[Record]
    quick: bool


def record(
    server: str, environment: Mapping[str, str], *, quick: bool = False, groups: Sequence[Group] = GROUPS
) -> Recorder:
    """Ask *server* the questions of *groups*, with the login of `az` in *environment*, and delete what that wrote.
    Raise `steps.Failed` if something is left."""
    run = Leftovers(server)
    recorder = Recorder(Https(environment), Login(environment), run, quick=quick)
    steps.say(run.announce())
    try:
        for probes in groups:
            steps.say(f"    {probes.__name__.replace('_', ' ')}")
            recorder.group(probes)
    finally:
        delete(recorder, list(run.repositories))
        recorder.https.close()
    return recorder


def write(recorder: Recorder, file: Path) -> None:
    """Write the records to *file*; raise `steps.Failed`, and write nothing, if a name of the login is still in them."""
    content = {"format": FORMAT, "quick": recorder.quick, "records": recorder.records}
    text = json.dumps(content, indent=1, ensure_ascii=False) + "\n"
    recorder.redactor.require_none(text)
    file.write_text(text, encoding="utf-8")


def read(file: Path) -> Recording:
    """Return the recording in *file*; raise `steps.Failed` if it has no recording."""
    try:
        found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
        if found["format"] == FORMAT:
            return Recording(list(found["records"]), bool(found["quick"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise steps.Failed(f"{file} has no recording: {error}", 2) from error
    raise steps.Failed(f"{file} has the format {found['format']}, and this reads {FORMAT}. Record again.", 2)
