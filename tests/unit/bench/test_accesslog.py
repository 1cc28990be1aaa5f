"""Traffic counted from the access log of a host."""

from __future__ import annotations

import json
from pathlib import Path

from bench.accesslog import AccessLog, Traffic, count


def response(method: str, uri: str, connection: int, sent: int = 0, received: int = 100) -> str:
    entry = {"connection": connection, "method": method, "uri": uri, "status": 200, "sent": sent, "received": received}
    return json.dumps({name: str(value) for name, value in entry.items()})


LOG = [
    response("HEAD", "/v2/a/blobs/sha256:00", 1),
    response("POST", "/v2/a/blobs/uploads/", 1),
    response("PUT", "/v2/a/blobs/uploads/1", 1, received=500),
    response("DELETE", "/v2/a/blobs/uploads/2", 1),
    response("GET", "/v2/a/blobs/sha256:00", 2, sent=10),
    response("GET", "/v2/a/manifests/1", 2, sent=7),
    response("GET", "/docker/registry/v2/blobs/sha256/00/00/data", 3, sent=20),
]


def test_requests_connections_and_bytes_are_counted() -> None:
    assert count(LOG) == Traffic(requests=7, connections=3, blob_requests=4, bytes_up=1100, bytes_down=37)


def test_an_incomplete_line_is_counted_once_it_is_complete(tmp_path: Path) -> None:
    file = tmp_path / "log"
    file.write_text(LOG[0] + "\n" + LOG[1][:9])
    log = AccessLog(file)
    assert log.new().requests == 1
    with open(file, "a") as more:
        more.write(LOG[1][9:] + "\n")
    assert log.new().blob_requests == 1
    assert log.new() == Traffic()
