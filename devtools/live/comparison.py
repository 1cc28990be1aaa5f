"""Compare a recording with the emulator, by the same requests."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from devtools import session, steps
from devtools.live import recording
from devtools.live.records import Record

SERVER = f"{session.REGISTRY}.azurecr.io"
IGNORED = {"connection", "content-length", "date", "keep-alive"}
"""Headers that depend on the moment or the connection."""
VALUES = {
    "accept-ranges", "content-range", "content-type", "docker-content-digest", "docker-distribution-api-version",
    "link", "location", "oci-filters-applied", "oci-subject", "range", "retry-after", "transfer-encoding",
    "www-authenticate",
}  # fmt: skip
"""Headers whose values are compared, and not only their presence."""
LONGEST = 300
"""Characters of a value that are shown."""
TEXTS = {"code", "message", "status"}
"""Members of JSON whose texts are compared, and not only their type: those of errors."""


def report(records: list[Record], ours: list[Record]) -> int:
    """Print the differences between *records* and *ours*, those of the emulator; return 1 if there are any."""
    found = differences(records, ours)
    for probe, lines in found.items():
        print("\n".join([probe, *(f"  {line}" for line in lines)]))
    for probe in uncompared(records, ours):
        steps.say(f"not compared: {probe}")
    steps.say(f"{len(found)} of {len(records)} records differ from the emulator.")
    return 1 if found else 0


def emulated(recorded: recording.Recording) -> list[Record]:
    """Record a fresh emulator, whose registry has the settings of the *recorded* one."""
    with tempfile.TemporaryDirectory() as folder, session.opened(Path(folder)) as running:
        running.emulator.set(registries={session.REGISTRY: settings_of(recorded.records)})
        options = " ".join(session.sign_in()).split(" ")
        steps.must("az login at the emulator", running.az(*options, "--output", "none"), running.variables)
        return recording.record(SERVER, running.variables, quick=recorded.quick).records


def settings_of(records: list[Record]) -> dict[str, bool]:
    """Return the settings of the recorded registry that the responses show: choices of its owner, not differences."""
    status = {record["probe"]: record["response"].get("status") for record in records if "response" in record}
    return {
        "arm_audience_enabled": status.get("exchange of a token for Resource Manager", 200) == 200,
        "data_endpoint_enabled": "GET of a blob from the data endpoint" in status,
    }


def differences(recorded: list[Record], ours: list[Record]) -> dict[str, list[str]]:
    """Return the differences of each probe. What only one side has is no difference."""
    known = {record["probe"]: record for record in ours}
    found = {record["probe"]: list(_lines(record, known.get(record["probe"], {}))) for record in recorded}
    return {probe: lines for probe, lines in found.items() if lines}


def uncompared(recorded: list[Record], ours: list[Record]) -> list[str]:
    """Return the probes that only one side has, and those that failed."""
    theirs, known = ({record["probe"]: "unanswered" not in record for record in side} for side in (recorded, ours))
    return [probe for probe in {**theirs, **known} if not (theirs.get(probe) and known.get(probe))]


def shape(value: Any) -> Any:
    """Return the members and types of a JSON value, the number of items of lists, and the texts of errors."""
    if isinstance(value, dict):
        return {key: value[key] if key in TEXTS else shape(value[key]) for key in sorted(value)}
    if isinstance(value, list):
        left = re.fullmatch(r"… (\d+) more", value[-1]) if value and isinstance(value[-1], str) else None
        items = value[:-1] if left else value
        kinds: list[Any] = []
        for item in map(shape, items):
            kinds += [item] if item not in kinds else []
        return {"items": len(items) + (int(left[1]) if left else 0), "of": kinds}
    return value if value is None else type(value).__name__


def _lines(theirs: Record, ours: Record) -> Iterator[str]:
    if "finding" in theirs and "finding" in ours:
        yield from _values("finding", theirs["finding"], ours["finding"])
    if not ("response" in theirs and "response" in ours):
        return
    first, second = theirs["response"], ours["response"]
    for name in ("lost", "status"):
        yield from _values(name, first.get(name), second.get(name))
    headers, other = _headers(first), _headers(second)
    for name in sorted(headers.keys() | other.keys()):
        yield from _values(f"header {name}", headers.get(name), other.get(name))
    yield from _values("body", _body(first), _body(second))


def _headers(response: Record) -> dict[str, str]:
    """Return the headers of *response*: the values of some, of others that they are present."""
    found: dict[str, str] = {}
    for line in response.get("headers", []):
        name, _, value = line.partition(": ")
        if name.lower() not in IGNORED:
            found[name.lower()] = value if name.lower() in VALUES else "present"
    return found


def _body(response: Record) -> Any:
    """Return the shape of JSON, a text as it is, and None without a body."""
    body = response.get("body")
    return body if isinstance(body, str) or "body" not in response else {"json": shape(body)}


def _values(what: str, theirs: object, ours: object) -> Iterator[str]:
    if theirs != ours:
        yield f"{what}: {_shown(theirs)} in the file, {_shown(ours)} on the emulator"


def _shown(value: object) -> str:
    text = "none" if value is None else value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
