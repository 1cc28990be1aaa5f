"""Rows of a case, and records, for the tests of this folder."""

from __future__ import annotations

from typing import Any

from bench.accesslog import Traffic
from bench.ratios import OURS, Row
from bench.records import Origin, Record

ORIGIN = Origin("2026-01-02", "abc1234", 2, "a machine")


def row(client: str, wall: float, **others: Any) -> Row:
    """Return a row that used as much processor time as wall time, and one second of the service's."""
    return Row(client, wall, **{"least": wall, "cpu": wall, "memory": 1 << 20, "service_cpu": 1.0, **others})


def ours(wall: float, requests: int = 4, connections: int = 2, blob_requests: int = 0, **others: Any) -> Row:
    """Return our row, after half a second of az's start, with all traffic to one host."""
    hosts = {"registry": Traffic(requests, connections, blob_requests)}
    return row(OURS, wall, hosts=hosts, az_wall=0.5, az_cpu=0.5, **others)


def record(case: str, *rows: Row) -> Record:
    """Return a record of five rounds."""
    return Record(case, 5, ORIGIN, rows)
