"""Delete repositories by plain requests, also what is locked in them."""

from __future__ import annotations

import json
from urllib.parse import quote

from devtools import steps
from devtools.live.https import NoResponse
from devtools.live.recorder import Recorder, Unanswered

UNLOCKED = json.dumps({"deleteEnabled": True, "writeEnabled": True}).encode()


def delete(recorder: Recorder, repositories: list[str]) -> None:
    """Delete *repositories*; raise `steps.Failed` with what is left, why, and how to delete it."""
    problems = {name: why for name in repositories if (why := _delete(recorder, name))}
    if problems:
        raise steps.Failed(recorder.run.report(problems))


def _delete(recorder: Recorder, repository: str) -> str:
    """Delete *repository*; return the reason if it could not be deleted. It may be missing, as without a manifest."""
    try:
        _unlock(recorder, repository)
        actions = f"repository:{repository}:delete,metadata_read"
        response = recorder.send("DELETE", f"/acr/v1/{repository}", actions)
    except (NoResponse, Unanswered, steps.Failed) as error:
        return str(error)
    if response.status not in (202, 404):
        return f"status {response.status} {response.body.decode(errors='replace')}"
    recorder.run.deleted(repository)
    return ""


def _unlock(recorder: Recorder, repository: str) -> None:
    actions = f"repository:{repository}:metadata_read,metadata_write"
    for kind, key in (("_tags", "name"), ("_manifests", "digest")):
        listed = recorder.send("GET", f"/acr/v1/{repository}/{kind}?n=1000", actions)
        items = json.loads(listed.body).get(kind.strip("_")) if listed.status == 200 else None
        for item in items or []:
            locks = item.get("changeableAttributes", {})
            if False in (locks.get("deleteEnabled"), locks.get("writeEnabled")):
                path = f"/acr/v1/{repository}/{kind}/{quote(item[key])}"
                recorder.do("PATCH", path, actions, {"Content-Type": "application/json"}, UNLOCKED)
