"""The record of a request and its response: JSON without secrets and names, short enough to read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from devtools.live.https import Response
from devtools.live.redaction import Redactor

Record = dict[str, Any]
REQUEST_HEADERS = {"accept", "content-type", "content-range", "range"}
"""Headers of a request that are kept in its record."""
LONGEST_LIST = 4
LONGEST_TEXT = 2000


def request_record(redactor: Redactor, method: str, url: str, headers: Mapping[str, str], body: bytes) -> Record:
    """Return the record of a request: the size of its body, and those of its headers that say no secret."""
    shown = [f"{name}: {value}" for name, value in headers.items() if name.lower() in REQUEST_HEADERS]
    return {
        "method": method,
        "url": redactor.text(url),
        **({"headers": [redactor.text(line) for line in shown]} if shown else {}),
        **({"bytes": len(body)} if body else {}),
    }


def response_record(redactor: Redactor, response: Response) -> Record:
    """Return the record of a response: status, all headers in their order, and the body unless it is empty."""
    headers = [f"{name}: {redactor.header(name, value)}" for name, value in response.headers]
    body = {"body": _body(redactor, response)} if response.body else {}
    return {"status": response.status, "headers": headers, **body}


def shortened(value: Any) -> Any:
    """Return a JSON value with the start of long lists, and the number of items left out."""
    if isinstance(value, dict):
        return {key: shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        left = len(value) - LONGEST_LIST
        return [*map(shortened, value[:LONGEST_LIST]), *([f"… {left} more"] if left > 0 else [])]
    return value


def _body(redactor: Redactor, response: Response) -> Any:
    if response.header("Content-Type").startswith("application/octet-stream"):
        return f"{len(response.body)} bytes"
    text = response.body.decode(errors="replace")
    try:
        return redactor.json(shortened(json.loads(text)))
    except ValueError:
        # Shortened last, since half a secret would not be recognized.
        return redactor.text(text)[:LONGEST_TEXT]
