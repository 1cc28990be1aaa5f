"""Random files and random faults, the same ones for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.transfer_faults.engine import KIB, RANGE, SERVER

STORAGE = "*.blob.core.windows.net"
BLOB = "/blobs/sha256:"
UPLOAD = "/blobs/uploads/"
STALL = 0.7
"""The length of a stall, in seconds."""
Rule = dict[str, Any]


@dataclass(frozen=True)
class Schedule:
    """Files to transfer, older files at the destination, and the faults on the way up and down."""

    seed: int
    files: dict[str, bytes]
    older: dict[str, bytes]
    up: list[Rule]
    down: list[Rule]
    concurrency: int | None


def schedule(seed: int) -> Schedule:
    """Return the schedule of *seed*."""
    draw = random.Random(seed)
    files = _files(draw)
    older = {name: draw.randbytes(draw.choice([10, len(files[name])])) for name in files if draw.random() < 0.3}
    up = [draw.choice(_UP)(draw) for _ in range(draw.randint(1, 4))]
    down = [draw.choice(_DOWN)(draw) for _ in range(draw.randint(1, 4))]
    return Schedule(seed, files, older, up, down, draw.choice([None, None, 1, 4, 16]))


def write(folder: Path, files: dict[str, bytes]) -> None:
    """Create *files* in *folder*."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def top_level(files: dict[str, bytes]) -> list[str]:
    """Return the names for the command line: files, and folders as a whole."""
    return list(dict.fromkeys(name.partition("/")[0] for name in files))


def _files(draw: random.Random) -> dict[str, bytes]:
    large = {f"large-{n}": draw.randbytes(draw.randint(RANGE, 6 * RANGE)) for n in range(draw.randint(1, 2))}
    small = {f"small-{n}": draw.randbytes(draw.randint(0, 12 * KIB)) for n in range(draw.randint(1, 6))}
    folder = {f"folder/{n}": draw.randbytes(draw.randint(0, 40 * KIB)) for n in range(draw.choice([0, 0, 1, 4]))}
    return {**large, **small, **folder}


def _times(draw: random.Random) -> Rule:
    """Apply once or twice at some match, sometimes always, or by chance."""
    if draw.random() < 0.1:
        return {"nth": draw.randint(1, 4), "times": 1000}
    if draw.random() < 0.3:
        return {"probability": draw.choice([0.1, 0.3]), "seed": draw.randrange(1000), "times": 12}
    return {"nth": draw.randint(1, 5), "times": draw.randint(1, 3)}


def _rule(draw: random.Random, **fields: Any) -> Rule:
    return {**_times(draw), **fields}


def _refused(draw: random.Random, **where: Any) -> Rule:
    status = draw.choice([429, 500, 503, 408, 502])
    headers = {"Retry-After": draw.choice(["0", "0", "1"])} if status in (429, 503) and draw.random() < 0.7 else {}
    return _rule(draw, action="status", status=status, headers=headers, **where)


def _broken(draw: random.Random, points: list[str], **where: Any) -> Rule:
    point = draw.choice(points)
    after = draw.randint(0, 2 * RANGE) if point in ("request", "response") else 0
    return _rule(draw, action=draw.choice(["reset", "cut"]), where=point, after=after, **where)


def _stalled(draw: random.Random, points: list[str], **where: Any) -> Rule:
    rule = _rule(draw, action="stall", where=draw.choice(points), after=draw.randint(0, RANGE), seconds=STALL, **where)
    return {**rule, "times": min(rule["times"], 2)}


_WRITES: Rule = {"path": UPLOAD, "method": "POST|PATCH|PUT"}
_UP: list[Callable[[random.Random], Rule]] = [
    lambda d: _refused(d, **_WRITES),
    lambda d: _refused(d, path="/v2/"),
    lambda d: _broken(d, ["before", "request", "handled"], **_WRITES),
    lambda d: _broken(d, ["request", "handled"], path=UPLOAD, method="PATCH"),
    lambda d: _broken(d, ["before", "handled", "response"], path="/v2/"),
    lambda d: _stalled(d, ["request", "handled"], **_WRITES),
    lambda d: _rule(d, action="drop_session", path=UPLOAD, method="PATCH|PUT"),
    lambda d: _rule(d, action="expire_token", path="/v2/"),
    lambda d: _rule(d, action="status", status=413, path=UPLOAD, method="PATCH|PUT"),
    lambda d: _rule(d, action="status", status=416, path=UPLOAD, method="PATCH"),
    lambda d: _rule(d, action="status", status=404, path=UPLOAD, method="PATCH|PUT"),
    lambda d: _rule(d, action="delay", seconds=0.05, path="/v2/"),
    lambda d: _refused(d, path="/oauth2/"),
]
_DOWN: list[Callable[[random.Random], Rule]] = [
    lambda d: _refused(d, path=BLOB),
    lambda d: _refused(d, host=STORAGE),
    lambda d: _refused(d, path="/v2/"),
    lambda d: _broken(d, ["before", "response"], host=STORAGE),
    lambda d: _broken(d, ["response"], host=STORAGE),
    lambda d: _broken(d, ["before", "response"], host=SERVER),
    lambda d: _stalled(d, ["response"], host=STORAGE),
    lambda d: _rule(d, action="corrupt", offset=d.randint(0, RANGE), host=STORAGE),
    lambda d: _rule(d, action="status", status=403, host=STORAGE),
    lambda d: _rule(d, action="expire_token", path="/v2/"),
    lambda d: _rule(d, action="status", status=416, host=STORAGE),
    lambda d: _rule(d, action="ignore_range", host=STORAGE),
    lambda d: _rule(d, action="wrong_content_range", host=STORAGE),
    lambda d: _rule(d, action="bandwidth", rate=1_000_000, host=STORAGE),
    lambda d: _refused(d, path="/oauth2/"),
]
