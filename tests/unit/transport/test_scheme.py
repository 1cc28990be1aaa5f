"""Plain HTTP or HTTPS."""

from __future__ import annotations

import pytest

from azext_acrartifact.transport.scheme import base_url_of
from tests.support.server import RawResponse, respond


@pytest.mark.parametrize("kind", ["plain", "tls", "closed"])
def test_plain_http_is_used_on_this_machine_without_tls(serve, authority, kind: str) -> None:
    def plain(sent) -> RawResponse:
        return respond(400)

    server = serve(plain, forever=True, tls=authority.context("127.0.0.1") if kind == "tls" else None)
    if kind == "closed":
        server.close()
    expected = "http" if kind == "plain" else "https"
    assert base_url_of(server.server, loopback=True) == f"{expected}://{server.server}"


def test_the_default_port_is_that_of_https(loopback: None) -> None:
    assert base_url_of("127.0.0.1", loopback=True) == "https://127.0.0.1", "nothing else listens there"


def test_no_other_host_is_probed() -> None:
    assert base_url_of("myregistry.azurecr.io", loopback=False) == "https://myregistry.azurecr.io"
