"""Envelopes as COSE_Sign1 (RFC 9052 §4.2).

https://github.com/notaryproject/specifications/blob/v1.1.0/specs/signature-envelope-cose.md
"""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ..errors import SignatureError
from .algorithms import ALGORITHMS
from .attributes import AGENT, EXPIRY, SCHEME, SIGNING_TIME, TIMESTAMP, Attributes, read_attributes
from .cbor import COSE_SIGN1, TIME, Tagged, Value, decode, encode
from .certificates import Chain
from .envelope import PAYLOAD_TYPE, Parsed

_ALG, _CRIT, _CONTENT_TYPE, _X5CHAIN = 1, 2, 3, 33
_UNPROTECTED = {_X5CHAIN, TIMESTAMP, AGENT}
_LATEST = int(datetime.max.replace(tzinfo=timezone.utc).timestamp()) - 1
_NAMES = {one.cose: one.jose for one in ALGORITHMS}


def parse(raw: bytes) -> Parsed:
    """Parse *raw*. Raises `SignatureError` unless it is one of the forms that the specification allows."""
    try:
        return _parse(raw)
    except (ValueError, TypeError) as error:
        raise SignatureError("The COSE signature is malformed", why=str(error)[:200]) from error


def protected(chain: Chain, attributes: Attributes) -> bytes:
    """Return the protected headers of a signature by *chain*."""
    critical: list[Value] = list(attributes.critical)
    headers: dict[int | str, Value] = {
        _ALG: chain.algorithm.cose,
        _CRIT: critical,
        _CONTENT_TYPE: PAYLOAD_TYPE,
        SCHEME: attributes.scheme,
        SIGNING_TIME: _tagged(attributes.signing_time),
    }
    if attributes.expiry:
        headers[EXPIRY] = _tagged(attributes.expiry)
    return encode(headers)


def to_be_signed(headers: bytes, payload: bytes) -> bytes:
    """Return the bytes to sign (RFC 9052 §4.4)."""
    return encode(["Signature1", headers, b"", payload])


def build(headers: bytes, payload: bytes, signature: bytes, chain: Chain, agent: str) -> bytes:
    """Return the envelope; *agent* names the program."""
    unprotected: dict[int | str, Value] = {_X5CHAIN: [one.der for one in chain.certificates], AGENT: agent}
    return encode(Tagged(COSE_SIGN1, [headers, unprotected, payload, signature]))


def _parse(raw: bytes) -> Parsed:
    message = decode(raw)
    if not isinstance(message, Tagged) or message.tag != COSE_SIGN1:
        raise ValueError("it is not a message with one signature")
    parts: Any = message.value
    if not isinstance(parts, list) or len(parts) != 4:
        raise ValueError("it does not have four parts")
    headers_raw, unprotected, payload, signature = parts
    if not all(isinstance(part, bytes) for part in (headers_raw, payload, signature)):
        raise ValueError("a part is not made of bytes")
    if not isinstance(unprotected, dict) or not set(unprotected) <= _UNPROTECTED:
        raise ValueError("it has an unprotected header that is not known here")
    chain = unprotected.get(_X5CHAIN)
    if not isinstance(chain, list) or not all(isinstance(der, bytes) for der in chain):
        raise ValueError("it has no certificates")
    headers: Any = decode(headers_raw)
    if not isinstance(headers, dict):
        raise ValueError("its protected headers are not a map")
    algorithm, critical, content_type = (headers.get(label) for label in (_ALG, _CRIT, _CONTENT_TYPE))
    if not isinstance(content_type, str) or not isinstance(algorithm, int):
        raise ValueError("it names no algorithm, or no type of its payload")
    if not isinstance(critical, list) or not all(isinstance(name, (int, str)) for name in critical):
        raise ValueError("it has no list of critical headers")
    return Parsed(
        payload=payload,
        content_type=content_type,
        algorithm=_NAMES.get(algorithm, f"COSE {algorithm}"),
        attributes=read_attributes(headers, critical, _time),
        certificates=chain,
        signed=to_be_signed(headers_raw, payload),
        signature=signature,
        timestamp=TIMESTAMP in unprotected,
    )


def _tagged(moment: datetime) -> Tagged:
    return Tagged(TIME, int(moment.timestamp()))


def _time(value: object) -> datetime:
    if not isinstance(value, Tagged) or value.tag != TIME or not isinstance(value.value, int):
        raise ValueError("not a number of seconds with tag 1")
    if not 0 <= value.value <= _LATEST:
        raise ValueError("not a number of seconds from 1970 to 9999, with tag 1")
    return datetime.fromtimestamp(value.value, timezone.utc)
