"""The `_state` of an upload's URL: a MAC and the session's name, id, offset and start, base64url.

Recorded from the service; distribution's registry/handlers/hmac.go describes the same form.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

from acr_emulator.registry.uploads import Session

_MAC = hashlib.sha256().digest_size


def location(key: bytes, session: Session) -> str:
    """Where the next request of *session* goes: relative, and with a query already."""
    facts = {
        "Name": session.repository,
        "UUID": session.id,
        "Offset": session.offset,
        "StartedAt": session.started,
    }
    payload = json.dumps(facts, separators=(",", ":")).encode()
    state = base64.urlsafe_b64encode(_mac(key, payload) + payload).decode()
    query = urlencode({"_nouploadcache": "false", "_state": state})
    return f"/v2/{session.repository}/blobs/uploads/{session.id}?{query}"


def offset_in(key: bytes, session: Session, state: str | None) -> int | None:
    """The offset that *state* was made at; None when it is not a state of *session*."""
    try:
        raw = base64.urlsafe_b64decode((state or "").encode())
    except ValueError:
        return None
    payload = raw[_MAC:]
    if not hmac.compare_digest(raw[:_MAC], _mac(key, payload)):
        return None
    facts = json.loads(payload)
    return int(facts["Offset"]) if facts["UUID"] == session.id else None


def _mac(key: bytes, payload: bytes) -> bytes:
    return hmac.new(key, payload, hashlib.sha256).digest()
