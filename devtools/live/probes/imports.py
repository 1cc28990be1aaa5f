"""An import that fails, by Resource Manager."""

from __future__ import annotations

import json
import time
from typing import Any

from devtools.live.recorder import Recorder, Unanswered
from devtools.live.sign_in import MANAGEMENT_AUDIENCE

VERSION = "api-version=2023-07-01"
PAUSE = 2.0
"""Seconds between two polls, unless the response says more."""
POLLS = 60


def failed_import(recorder: Recorder) -> None:
    """Import an image that does not exist, and poll. This needs the right to import in Resource Manager."""
    header = {"Authorization": f"Bearer {recorder.entra_token(MANAGEMENT_AUDIENCE)}"}
    identifier = _registry(recorder, header)
    source = {"resourceId": identifier, "sourceImage": f"{recorder.run.root}/missing:1"}
    body = json.dumps({"source": source, "targetTags": [f"{recorder.run.root}/imported:1"], "mode": "NoForce"}).encode()
    url = f"https://management.azure.com{identifier}/importImage?{VERSION}"
    headers = {**header, "Content-Type": "application/json"}
    response = recorder.ask("import of a missing image", "POST", url, "", headers, body)
    location = response.header("Location")
    if response.status != 202 or not location:
        return
    for number in range(POLLS):
        polled = recorder.ask(f"{'last' if number else 'first'} poll of that import", "GET", location, "", header)
        if polled.status != 202:
            return
        if number:
            recorder.records.pop()
        time.sleep(float(polled.header("Retry-After") or PAUSE))


def _registry(recorder: Recorder, header: dict[str, str]) -> str:
    """Return the id of the registry, and let the recorder hide the names in it."""
    subscription = recorder.login.account["id"]
    path = f"/subscriptions/{subscription}/providers/Microsoft.ContainerRegistry/registries?{VERSION}"
    listed = recorder.do("GET", f"https://management.azure.com{path}", "", header)
    items: list[dict[str, Any]] = json.loads(listed.body)["value"]
    for item in items:
        if item["properties"]["loginServer"].lower() == recorder.service:
            parts = item["id"].split("/")
            recorder.redactor.hide(parts[4], "GROUP", common=True)
            recorder.redactor.hide(parts[8], "REGISTRY")
            return str(item["id"])
    raise Unanswered("the login's default subscription shows no such registry in Resource Manager")
