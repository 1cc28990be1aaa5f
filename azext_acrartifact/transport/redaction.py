"""Remove secrets from URLs, error texts and log records.

Signed storage URLs, upload sessions and token requests have their secrets in the query or the form, and `az --debug`
prints what urllib3 logs
(https://github.com/urllib3/urllib3/blob/main/src/urllib3/connectionpool.py, `_make_request`).
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable
from urllib.parse import unquote_plus, urlsplit

from ..known_secrets import KNOWN, SecretRegister

_WORD = re.compile(r'[^\s"]+')
_SIGNATURE = re.compile(r"[?&]sig=([^&#]+)")
_FILTERED_LOGGERS = ("urllib3.connectionpool", "urllib3.poolmanager", "urllib3.util.retry", "requests")


def public_url(url: str) -> str:
    """Return scheme, host and path of *url*: no query, no fragment, no user information."""
    try:
        parts = urlsplit(url)
        host = parts.netloc.rpartition("@")[2]
    except ValueError:
        return "an invalid URL"
    return f"{parts.scheme}://{host}{parts.path}" if parts.scheme else f"{host}{parts.path}"


def without_queries(text: str) -> str:
    """Return *text* with the query of every URL and path in it replaced."""
    return _WORD.sub(lambda word: _without_query(word.group()), text)


def _without_query(word: str) -> str:
    """Cut *word* before the query of its first URL or path. An apostrophe does not end a query, but belongs to it."""
    query = word.find("?", word.find("/")) + 1
    return f"{word[:query]}…" if "/" in word[:query] and word[query:].strip("'") else word


def without_secrets(text: str, sent: Iterable[str]) -> str:
    """Return *text* without the secrets *sent* and without queries of URLs: a registry or the error page of a proxy may
    repeat parts of the request."""
    register = SecretRegister()
    register.add(*sent)
    return without_queries(register.hide(text))


def register_sent(secrets: Iterable[str], url: str) -> None:
    """Register what is about to be sent: *secrets*, and the signature in *url*. The response may repeat it."""
    KNOWN.add(*secrets)
    for signature in _SIGNATURE.findall(url):
        KNOWN.add_signature(unquote_plus(signature))


class QueryFilter(logging.Filter):
    """Removes queries from log records before any handler, of the console or of a log file, sees them."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Rewrite *record* and return True."""
        record.msg = without_queries(record.getMessage())
        record.args = ()
        return True


def protect_logs() -> None:
    """Filter the loggers of the HTTP libraries in this process; a second call does nothing."""
    for name in _FILTERED_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(existing, QueryFilter) for existing in logger.filters):
            logger.addFilter(QueryFilter())
