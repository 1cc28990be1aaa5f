"""Addresses and log records without their secrets.

A signed storage address, an upload session's state and a token request all carry what they protect in the
query or the form, and `az --debug` prints what urllib3 logs
(https://github.com/urllib3/urllib3/blob/main/src/urllib3/connectionpool.py, `_make_request`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import quote_plus, urlsplit

_WORD = re.compile(r'[^\s"]+')
SHORTEST_SECRET = 6
"""Characters; what is shorter is found in any text."""
_FILTERED_LOGGERS = ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry", "requests")


def public_url(url: str) -> str:
    """Scheme, host and path of *url*: no query, no fragment, no user information."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an address that cannot be read"
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else f"{host}{parts.path}"


def without_queries(text: str) -> str:
    """*text* with the query of every address and path in it replaced."""
    return _WORD.sub(lambda word: _without_query(word.group()), text)


def _without_query(word: str) -> str:
    """*word* up to the query of the first address or path in it. An apostrophe ends none: it may stand in a query."""
    query = word.find("?", word.find("/")) + 1
    return f"{word[:query]}…" if "/" in word[:query] and word[query:].strip("'") else word


def without_secrets(text: str, sent: Iterable[str]) -> str:
    """*text*, which answers a request that held the secrets *sent*, without these and without queries of addresses: a
    registry, or a page of a proxy's, may repeat what it was told."""
    for secret in sent:
        for written in (secret, quote_plus(secret)):
            text = text.replace(written, "…") if len(secret) >= SHORTEST_SECRET else text
    return without_queries(text)


class QueryFilter(logging.Filter):
    """Takes queries out of records before any handler, the console's or a log file's, sees them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite *record*; it is always kept."""
        record.msg = without_queries(record.getMessage())
        record.args = ()
        return True


def protect_logs() -> None:
    """Filter the loggers of the HTTP libraries that run in this process; doing it twice does nothing."""
    for name in _FILTERED_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, QueryFilter) for existing in logger.filters):
            logger.addFilter(QueryFilter())
