"""Uploads after a lost response, and after half a chunk."""

from __future__ import annotations

import time

from devtools.live.probes.contents import MIB, OCTETS, add, digest_of, pushing, start
from devtools.live.recorder import Recorder

CHUNK = b"c" * MIB
NOTICED = 2.0
"""Seconds in which the service should notice a closed connection."""
RANGE = {**OCTETS, "Content-Range": f"0-{MIB - 1}"}


def lost_responses(recorder: Recorder) -> None:
    """Use the Location from before a PATCH, as a client must whose connection ended before the response."""
    repository = recorder.run.repository("blobs")
    digest = f"&digest={digest_of(CHUNK)}"
    for name, method, parameter, headers, body in (
        ("GET", "GET", "", {}, b""),
        ("PATCH of the same chunk", "PATCH", "", OCTETS, CHUNK),
        ("PATCH of the same chunk, with Content-Range", "PATCH", "", RANGE, CHUNK),
        ("PUT", "PUT", digest, OCTETS, b""),
        ("DELETE", "DELETE", "", {}, b""),
    ):
        before = start(recorder, repository)
        newest = add(recorder, repository, before, CHUNK)
        scope = pushing(repository)
        recorder.ask(
            f"{name}, after a PATCH with a lost response", method, f"{before}{parameter}", scope, headers, body
        )
        recorder.ask(f"GET of the newest Location after that {name}", "GET", newest, scope)


def half_a_chunk(recorder: Recorder) -> None:
    """Close the connection in the middle of a PATCH; then ask for the position, or send the chunk again."""
    repository = recorder.run.repository("blobs")
    chunk, headers = CHUNK * 8, {**OCTETS, "Content-Range": f"{MIB}-{9 * MIB - 1}"}
    scope = pushing(repository)
    probes: tuple[tuple[str, str, dict[str, str], bytes], ...] = (
        ("GET", "GET", {}, b""),
        ("PATCH of the whole chunk", "PATCH", OCTETS, chunk),
        ("PATCH of the whole chunk, with Content-Range", "PATCH", headers, chunk),
    )
    locations = [add(recorder, repository, start(recorder, repository), CHUNK) for _ in probes]
    for location in locations:
        half = {**recorder.authorization(scope), **headers}
        recorder.https.send_half("PATCH", recorder.url(location), half, chunk)
    time.sleep(NOTICED)
    for location, (name, method, more, body) in zip(locations, probes, strict=True):
        recorder.ask(f"{name}, after half a chunk", method, location, scope, more, body)
