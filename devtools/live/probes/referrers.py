"""The referrers API."""

from __future__ import annotations

from devtools.live.probes.contents import MANIFEST, TYPE, UNKNOWN, manifest, push_blob, push_manifest, pushing
from devtools.live.recorder import Recorder


def referrers(recorder: Recorder) -> None:
    """Push a manifest with a subject, and list referrers that exist and that do not."""
    repository = recorder.run.repository("referrers")
    pull = f"repository:{repository}:pull"
    push_blob(recorder, repository, b"{}")
    content = manifest("subject")
    subject = push_manifest(recorder, repository, content, "1")
    path = f"/v2/{repository}/referrers/{subject}"
    recorder.ask("referrers of a manifest without any", "GET", path, pull)
    recorder.ask("referrers of an unknown digest", "GET", f"/v2/{repository}/referrers/{UNKNOWN}", pull)
    missing = f"{recorder.run.root}/missing"
    scope = f"repository:{missing}:pull"
    recorder.ask("referrers in an unknown repository", "GET", f"/v2/{missing}/referrers/{UNKNOWN}", scope)
    referrer = manifest("referrer", subject={"mediaType": MANIFEST, "digest": subject, "size": len(content)})
    at = f"/v2/{repository}/manifests/referrer"
    recorder.ask(
        "PUT of a manifest with a subject", "PUT", at, pushing(repository), {"Content-Type": MANIFEST}, referrer
    )
    recorder.ask("referrers of a manifest with one", "GET", path, pull)
    recorder.ask("referrers of a type", "GET", f"{path}?artifactType={TYPE}", pull)
    recorder.ask("referrers of another type", "GET", f"{path}?artifactType=application/vnd.example.other", pull)
