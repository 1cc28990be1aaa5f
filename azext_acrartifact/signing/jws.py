"""Envelopes as JWS in its flattened JSON form (RFC 7515 §7.2.2).

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-jws.md
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime, timezone
from typing import Any

from ..errors import SignatureError
from ..transport.bounded_json import parse_json, unique_keys
from .attributes import AGENT, EXPIRY, SCHEME, SIGNING_TIME, TIMESTAMP, Attributes, read_attributes
from .certificates import Chain
from .envelope import PAYLOAD_TYPE, Parsed

_MEMBERS = {"payload", "protected", "header", "signature"}
_UNPROTECTED = {"x5c", TIMESTAMP, AGENT}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:Z|[+-]\d\d:\d\d)")


def parse(raw: bytes) -> Parsed:
    """Parse *raw*. Raises `SignatureError` unless it is one of the forms that the specification allows."""
    try:
        return _parse(raw)
    except (ValueError, TypeError, RecursionError) as error:
        raise SignatureError("The JWS signature is malformed", why=str(error)[:200]) from error


def protected(chain: Chain, attributes: Attributes) -> bytes:
    """Return the protected headers of a signature by *chain*."""
    headers: dict[str, Any] = {
        "alg": chain.algorithm.jose,
        "cty": PAYLOAD_TYPE,
        "crit": attributes.critical,
        SCHEME: attributes.scheme,
        SIGNING_TIME: _time_text(attributes.signing_time),
    }
    if attributes.expiry:
        headers[EXPIRY] = _time_text(attributes.expiry)
    return json.dumps(headers, separators=(",", ":")).encode()


def to_be_signed(headers: bytes, payload: bytes) -> bytes:
    """Return the bytes to sign (RFC 7515 §5.1)."""
    return f"{_encoded(headers)}.{_encoded(payload)}".encode()


def build(headers: bytes, payload: bytes, signature: bytes, chain: Chain, agent: str) -> bytes:
    """Return the envelope; *agent* names the program."""
    certificates = [base64.b64encode(one.der).decode() for one in chain.certificates]
    fields = {
        "payload": _encoded(payload),
        "protected": _encoded(headers),
        "header": {"x5c": certificates, AGENT: agent},
        "signature": _encoded(signature),
    }
    return json.dumps(fields, separators=(",", ":")).encode()


def _parse(raw: bytes) -> Parsed:
    fields = _object(raw)
    if set(fields) != _MEMBERS:
        raise ValueError("its members are not exactly payload, protected, header and signature")
    header = fields["header"]
    if not isinstance(header, dict) or not set(header) <= _UNPROTECTED:
        raise ValueError("it has an unprotected header that is not known here")
    chain = header.get("x5c")
    if not isinstance(chain, list):
        raise ValueError("it has no certificates")
    headers = _object(_decoded(fields["protected"]))
    known = {SCHEME, SIGNING_TIME, EXPIRY, "alg", "cty", "crit"}
    # Go's JSON takes names of any case for the same one: a reader in Go could see other headers than this one.
    folded = {name.casefold(): name for name in headers}
    if len(folded) != len(headers) or any(folded.get(name.casefold(), name) != name for name in known):
        raise ValueError("two headers differ in case only, or one is written in another case")
    texts = [headers.get(name) for name in ("alg", "cty")]
    critical = headers.get("crit")
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("it names no algorithm, or no type of its payload")
    if not isinstance(critical, list) or not all(isinstance(name, str) for name in critical):
        raise ValueError("it has no list of critical headers")
    return Parsed(
        payload=_decoded(fields["payload"]),
        content_type=str(texts[1]),
        algorithm=str(texts[0]),
        attributes=read_attributes(headers, critical, _time),
        certificates=[base64.b64decode(one, validate=True) for one in chain],
        signed=f"{fields['protected']}.{fields['payload']}".encode(),
        signature=_decoded(fields["signature"]),
        timestamp=TIMESTAMP in header,
    )


def _object(raw: bytes) -> dict[str, Any]:
    found = parse_json(raw, unique_keys)
    if not isinstance(found, dict):
        raise ValueError("it is not an object")
    return found


def _encoded(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _decoded(text: object) -> bytes:
    """Decode base64url without padding. Only one text stands for the same bytes."""
    if not isinstance(text, str):
        raise ValueError("a member is no text")
    found = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    if _encoded(found) != text:
        raise ValueError("base64url is not canonical")
    return found


def _time(value: object) -> datetime:
    """Return the time in *value* (RFC 3339 without a fraction)."""
    if not isinstance(value, str) or not value.isascii() or not _TIME.fullmatch(value):
        raise ValueError("not a time of RFC 3339 in whole seconds")
    return datetime.fromisoformat(value.replace("Z", "+00:00")).astimezone(timezone.utc)


def _time_text(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
