"""`az` behind a SOCKS proxy, which takes the place of the one that leads to the local Azure."""

from __future__ import annotations

import socket
from contextlib import closing
from urllib.parse import urlsplit

from tests.functional.az import Az
from tests.functional.origin import SERVER
from tests.support.relay import Relay, socks5


def test_a_push_by_socks(az: Az, artifact: str, file: str) -> None:
    behind = urlsplit(az.variables["HTTPS_PROXY"])
    reached: set[str] = set()

    def connect(host: str, port: int) -> socket.socket:
        reached.add(host)
        far = socket.create_connection((behind.hostname, behind.port))
        far.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n\r\n".encode())
        response = b""
        while not response.endswith(b"\r\n\r\n"):
            response += far.recv(1)
        return far

    with closing(Relay(socks5(connect, b"me:secret"))) as proxy:
        url = f"socks5h://me:secret@127.0.0.1:{proxy.port}"
        names = {name: url for name in az.variables if name.lower() in ("https_proxy", "http_proxy", "all_proxy")}
        pushed = az.using(**names).artifact("push", artifact, "--file", file)
    assert pushed.json["files"][0]["state"] == "uploaded"
    assert SERVER in reached
    refused = az.using(**dict.fromkeys(names, f"socks5h://127.0.0.1:{proxy.port}")).refused(1, "show", artifact)
    assert "secret" not in refused.stderr
