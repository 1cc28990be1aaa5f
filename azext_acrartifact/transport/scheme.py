"""Choose between https and http: plain HTTP is used on this machine alone, and only if the server speaks no TLS."""

from __future__ import annotations

import socket
import ssl
from urllib.parse import urlsplit

PROBE_TIMEOUT = 5.0


def base_url_of(server: str, loopback: bool) -> str:
    """Return the origin of *server*: https, but http if it is on this machine and does not speak TLS."""
    return f"http://{server}" if loopback and not _speaks_tls(server) else f"https://{server}"


def _speaks_tls(server: str) -> bool:
    parts = urlsplit(f"//{server}")
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    try:
        with socket.create_connection((parts.hostname, parts.port or 443), PROBE_TIMEOUT) as raw:
            context.wrap_socket(raw, server_hostname=parts.hostname).close()
    except ssl.SSLError as error:
        return error.reason not in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "RECORD_LAYER_FAILURE")
    except OSError:
        return True
    return True
