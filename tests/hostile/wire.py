"""The network of the hostile cases: a proxy on loopback behind which every name leads to a script of raw bytes."""

from __future__ import annotations

import ssl
from collections.abc import Callable

from tests.support.server import RawResponse as Response
from tests.support.server import ScriptedServer, Sent

Script = Callable[[Sent], Response]


class Wire(ScriptedServer):
    """A proxy that leads to *script* and records no more than 4 MiB of a request's body."""

    def __init__(self, script: Script, tls: Callable[[str], ssl.SSLContext | None]) -> None:
        super().__init__(script, hosts=tls, body_limit=4 * 1024 * 1024)

    @property
    def proxy(self) -> str:
        """The address for `HTTPS_PROXY`."""
        return self.url
