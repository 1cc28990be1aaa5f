"""Challenges and tokens, and the protocol of the login server."""

from __future__ import annotations

from urllib.parse import urlencode

from devtools.live.recorder import Recorder, service_in
from devtools.live.sign_in import FORM, MANAGEMENT_AUDIENCE, REGISTRY_AUDIENCE


def sign_in(recorder: Recorder) -> None:
    """Ask for the protocol, the challenges, and the exchange with either audience and with no valid token."""
    recorder.say("ALPN of the login server", selected=recorder.https.protocol(recorder.server))
    challenge = recorder.ask("challenge of /v2/, with the service", "GET", "/v2/").header("WWW-Authenticate")
    recorder.service = service_in(challenge) or recorder.server
    repository = recorder.run.repository("blobs")
    recorder.ask("challenge of a list of tags", "GET", f"/v2/{repository}/tags/list")
    _exchange(recorder, "exchange of a token for the registries", recorder.entra_token(REGISTRY_AUDIENCE))
    _exchange(recorder, "exchange of a token for Resource Manager", recorder.entra_token(MANAGEMENT_AUDIENCE))
    _exchange(recorder, "exchange of no token", "none")
    recorder.authorization(f"repository:{repository}:pull")
    recorder.ask(
        "manifest without a right to it", "GET", f"/v2/{repository}/manifests/1", f"repository:{repository}:none"
    )


def _exchange(recorder: Recorder, probe: str, token: str) -> None:
    body = urlencode({"grant_type": "access_token", "service": recorder.service, "access_token": token}).encode()
    recorder.ask(probe, "POST", "/oauth2/exchange", "", FORM, body)
