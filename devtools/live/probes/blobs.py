"""Downloads: the redirect to storage, and the storage itself."""

from __future__ import annotations

from urllib.parse import urlsplit

from devtools.live.probes.contents import UNKNOWN, push_blob
from devtools.live.recorder import Recorder


def blobs(recorder: Recorder) -> None:
    """Ask for a blob by HEAD and GET, from storage too, and for a missing one."""
    repository = recorder.run.repository("blobs")
    pull = f"repository:{repository}:pull"
    path = f"/v2/{repository}/blobs/{push_blob(recorder, repository, b'a blob')}"
    recorder.ask("HEAD of a blob", "HEAD", path, pull)
    recorder.ask("HEAD of a missing blob", "HEAD", f"/v2/{repository}/blobs/{UNKNOWN}", pull)
    location = recorder.ask("GET of a blob", "GET", path, pull).header("Location")
    recorder.ask("GET of a range of a blob", "GET", path, pull, {"Range": "bytes=2-3"})
    recorder.ask("GET of a missing blob", "GET", f"/v2/{repository}/blobs/{UNKNOWN}", pull)
    if location:
        host = urlsplit(location).hostname or ""
        kind = "data endpoint" if ".data." in host else "storage"
        recorder.say(f"ALPN of the {kind}", selected=recorder.https.protocol(host))
        recorder.ask(f"GET of a blob from the {kind}", "GET", location)
        recorder.ask(f"GET of a range from the {kind}", "GET", location, "", {"Range": "bytes=2-3"})
        recorder.ask(f"GET of a range beyond the end from the {kind}", "GET", location, "", {"Range": "bytes=100-"})
