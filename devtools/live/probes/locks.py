"""Times, locks and deletions."""

from __future__ import annotations

import json

from devtools.live.probes.contents import UNKNOWN, manifest, push_blob, push_manifest
from devtools.live.recorder import Recorder

CHANGE = {"Content-Type": "application/json"}


def times_and_locks(recorder: Recorder) -> None:
    """Remove one of two tags, then delete the manifest although the other one is locked."""
    repository = recorder.run.repository("locks")
    actions = f"repository:{repository}:pull,push,metadata_read,metadata_write,delete"
    push_blob(recorder, repository, b"{}")
    content = manifest("locked")
    digest = push_manifest(recorder, repository, content, "1")
    push_manifest(recorder, repository, content, "2")
    shown = f"/acr/v1/{repository}/_manifests/{digest}"
    before = recorder.ask("manifest with two tags", "GET", shown, actions)
    recorder.ask("DELETE of one tag", "DELETE", f"/acr/v1/{repository}/_tags/2", actions)
    after = recorder.ask("manifest that lost a tag", "GET", shown, actions)
    changed = _time(before.body) != _time(after.body)
    recorder.say("does an artifact's lastUpdateTime change when it loses a tag?", changes=changed)
    locked = json.dumps({"deleteEnabled": False, "writeEnabled": False}).encode()
    recorder.ask("lock of a tag", "PATCH", f"/acr/v1/{repository}/_tags/1", actions, CHANGE, locked)
    recorder.ask("DELETE of a locked tag", "DELETE", f"/acr/v1/{repository}/_tags/1", actions)
    recorder.ask("DELETE of a manifest with a locked tag", "DELETE", f"/v2/{repository}/manifests/{digest}", actions)


def deletions(recorder: Recorder) -> None:
    """Delete a manifest by tag, by digest and again, then repositories."""
    repository = recorder.run.repository("deleted")
    actions = f"repository:{repository}:pull,push,metadata_read,delete"
    push_blob(recorder, repository, b"{}")
    digest = push_manifest(recorder, repository, manifest("one"), "1")
    push_manifest(recorder, repository, manifest("two"))
    recorder.ask("DELETE of a manifest by its tag", "DELETE", f"/v2/{repository}/manifests/1", actions)
    recorder.ask("DELETE of a manifest", "DELETE", f"/v2/{repository}/manifests/{digest}", actions)
    recorder.ask("DELETE of a deleted manifest", "DELETE", f"/v2/{repository}/manifests/{digest}", actions)
    recorder.ask("DELETE of an unknown manifest", "DELETE", f"/v2/{repository}/manifests/{UNKNOWN}", actions)
    recorder.ask("DELETE of a missing tag", "DELETE", f"/acr/v1/{repository}/_tags/none", actions)
    recorder.ask("DELETE of a repository", "DELETE", f"/acr/v1/{repository}", actions)
    recorder.ask("DELETE of a deleted repository", "DELETE", f"/acr/v1/{repository}", actions)


def _time(body: bytes) -> object:
    return json.loads(body)["manifest"]["lastUpdateTime"]
