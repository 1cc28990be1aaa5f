"""The `_state` of an upload URL: a MAC and the session's name, id, offset and start, base64url-encoded.

Recorded from the service; distribution's registry/handlers/hmac.go has the same format.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

from acr_emulator.registry.uploads import Session

_MAC = hashlib.sha256().digest_size


def upload_url(key: bytes, session: Session) -> str:
    """Return the URL of the next request of *session*: relative, and already with a query."""
    facts = {"Name": session.repository, "UUID": session.id, "Offset": session.offset, "StartedAt": session.started}
    payload = json.dumps(facts, separators=(",", ":")).encode()
    state = base64.urlsafe_b64encode(_mac(key, payload) + payload).decode()
    query = urlencode({"_nouploadcache": "false", "_state": state})
    return f"/v2/{session.repository}/blobs/uploads/{session.id}?{query}"


def offset_in(key: bytes, repository: str, identifier: str, state: str | None) -> int | None:
    """Return the offset in *state*, or None if it is not a state of the session *identifier* in *repository*."""
    try:
        raw = base64.urlsafe_b64decode((state or "").encode())
    except ValueError:
        return None
    payload = raw[_MAC:]
    if not hmac.compare_digest(raw[:_MAC], _mac(key, payload)):
        return None
    facts = json.loads(payload)
    return int(facts["Offset"]) if (facts["Name"], facts["UUID"]) == (repository, identifier) else None


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.new(key, payload, hashlib.sha256).digest()
