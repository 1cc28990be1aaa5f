"""Sizes of chunks, uploads in one request, and mounts."""

from __future__ import annotations

from devtools.live.probes.contents import MIB, OCTETS, UNKNOWN, digest_of, push_blob, pushing, start
from devtools.live.recorder import Recorder, Unanswered

SIZES = (4, 8, 16, 20, 24, 32, 64)
"""Sizes of one PATCH in MiB."""
QUICK_SIZES = (4, 24)


def sizes_of_chunks(recorder: Recorder) -> None:
    """Send one PATCH of each size; the limit may depend on the service tier."""
    repository = recorder.run.repository("blobs")
    for size in QUICK_SIZES if recorder.quick else SIZES:
        location = start(recorder, repository)
        try:
            recorder.ask(f"PATCH of {size} MiB", "PATCH", location, pushing(repository), OCTETS, bytes(size * MIB))
        except Unanswered:
            continue  # the lost response is recorded, and the larger sizes are worth asking for


def uploads_in_one_request(recorder: Recorder) -> None:
    """Upload by a POST with the digest, right and wrong."""
    repository = recorder.run.repository("blobs")
    path = f"/v2/{repository}/blobs/uploads/?digest="
    for name, digest in (("its digest", digest_of(b"in one request")), ("another digest", UNKNOWN)):
        probe = f"POST of a blob with {name}"
        recorder.ask(probe, "POST", f"{path}{digest}", pushing(repository), OCTETS, b"in one request")


def mounts(recorder: Recorder) -> None:
    """Mount a blob from where it is, and from where it or its repository does not exist."""
    source, target = recorder.run.repository("blobs"), recorder.run.repository("mounts")
    missing = f"{recorder.run.root}/missing"
    digest = push_blob(recorder, source, b"a blob")
    for name, wanted, repository in (
        ("a blob", digest, source),
        ("a missing blob", UNKNOWN, source),
        ("a blob of a missing repository", digest, missing),
    ):
        scope = f"{pushing(target)} repository:{repository}:pull"
        recorder.ask(f"mount of {name}", "POST", f"/v2/{target}/blobs/uploads/?mount={wanted}&from={repository}", scope)
