"""Replace secrets and names in recorded text, so that a recording can be shown to anyone.

What is known by value (the registry, the account, tokens) is replaced by value. Everything else follows rules that keep
what is known to be harmless, and replace the rest: an unknown parameter of a URL and any long run of random characters.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Any

from devtools import steps

SHOWN = {
    "api-version", "artifacttype", "digest", "from", "last", "mount", "n", "_nouploadcache", "orderby", "scope",
    "service", "sp", "spr", "sr", "sv",
}  # fmt: skip
"""Parameters of URLs whose values are kept: of the registries' API, and the rights and version of a signed URL."""
SECRET_MEMBERS = re.compile("token|password|secret|signature|credential|accesskey", re.IGNORECASE)
"""Members of JSON whose values are replaced, whatever they look like."""
SECRET_HEADERS = re.compile("cookie|authorization|token|secret|signature", re.IGNORECASE)

_PARAMETER = re.compile(r"(?P<start>&amp;|[?&])(?P<name>[\w.-]+)=(?P<value>[^&\s\"'<>;,]*)")
_NO_DIGEST = r"(?<!sha256:)(?<!sha256%)(?<!sha256%3A)(?<!sha256/[0-9a-f]{2}/)"
_MONTH_DAY = r"[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} [\d:]{8} GMT"
_RULES = (
    (re.compile(r"eyJ[\w-]{8,}(?:\.[\w-]*)*"), "TOKEN"),
    (re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"), "ACCOUNT"),
    (re.compile(r"[\w-]+(?=\.(?:blob|queue|table)\.[a-z])"), "STORAGE"),
    (re.compile(r"\b[a-z][a-z0-9]*(?=\.(?:geo|data)\.)"), "REGION"),
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?:-[0-9a-z]+)?\b"), "UUID"),
    (re.compile(rf"\d{{4}}-\d\d-\d\dT\d\d(?::|%3A)\d\d(?::|%3A)\d\d(?:\.\d+)?Z?|{_MONTH_DAY}"), "TIME"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}\b"), "IP"),
    (re.compile(rf"\b{_NO_DIGEST}(?=[\w+-]*\d)(?=[\w+-]*[A-Za-z])[\w+-]{{24,}}"), "OPAQUE"),
)  # fmt: skip
_START = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2}))"
"""The start of a word, also after an escaped character of a URL."""
_IPV6 = re.compile(r"(?<![\w:])[0-9a-fA-F:]*:[0-9a-fA-F:]*:[0-9a-fA-F:.]*(?![\w:])")


class Redactor:
    """Replaces values by placeholders in capitals."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {}
        self._common: set[str] = set()

    def hide(self, value: str, placeholder: str, *, common: bool = False) -> None:
        """Replace *value* by *placeholder* from now on, as a whole word, in any case. A *common* one may also be a part
        of other words, as the name of a subscription may."""
        if value:
            self._names.setdefault(value.lower(), placeholder)
        if common:
            self._common.add(value.lower())

    def text(self, text: str) -> str:
        """Return *text* with placeholders."""
        text = _PARAMETER.sub(self._parameter, text)
        for name in sorted(self._names, key=len, reverse=True):
            text = re.sub(f"{_START}{re.escape(name)}(?![A-Za-z0-9])", self._names[name], text, flags=re.IGNORECASE)
        for pattern, placeholder in _RULES:
            text = pattern.sub(placeholder, text)
        return _IPV6.sub(_address, text)

    def header(self, name: str, value: str) -> str:
        """Return the value of a header with placeholders."""
        return "SECRET" if SECRET_HEADERS.search(name) else self.text(value)

    def json(self, value: Any) -> Any:
        """Return a JSON value with placeholders in its strings."""
        if isinstance(value, dict):
            return {self.text(key): self._member(key, item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.json(item) for item in value]
        return self.text(value) if isinstance(value, str) else value

    def require_none(self, text: str) -> None:
        """Raise `steps.Failed` if *text* still contains a value that `hide` named, even inside a word."""
        left = {self._names[name] for name in self._names.keys() - self._common if name in text.lower()}
        if left:
            raise steps.Failed(f"Nothing was written: the recording still contains {', '.join(sorted(left))}.")

    def _member(self, key: str, value: Any) -> Any:
        return "SECRET" if SECRET_MEMBERS.search(key) and isinstance(value, str) else self.json(value)

    @staticmethod
    def _parameter(match: re.Match[str]) -> str:
        name = match["name"]
        value = match["value"] if name.lower() in SHOWN else name.strip("_").upper()
        return f"{match['start']}{name}={value}"


def _address(match: re.Match[str]) -> str:
    try:
        ipaddress.IPv6Address(match[0])
    except ValueError:
        return match[0]
    return "IP"
