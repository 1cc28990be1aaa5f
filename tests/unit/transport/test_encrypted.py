"""What TLS changes: how an early answer shows, and what may go out once a connection is given up."""

from __future__ import annotations

import ssl
from contextlib import closing

import pytest

from azext_acrartifact.oci.content import Chunk, Memory
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.connection import Connection
from azext_acrartifact.transport.messages import Request
from azext_acrartifact.transport.network import Network
from tests.support.server import Answer, answer


@pytest.mark.parametrize("status", [401, 413, 429])
def test_an_early_answer_to_a_big_body_is_seen(serve, authority, status: int) -> None:
    refusal = Answer(answer(status, b"not this").raw, "close", body_read=1000)
    server = serve(refusal, tls=authority.context("127.0.0.1"))
    with closing(HttpClient(Network("unit/1", verify=False))) as http:
        body = Chunk(Memory(bytes(60_000_000)), 0, 60_000_000)
        with http.send(Request("PATCH", server.url + "/", body=body, repeatable=False)) as response:
            assert (response.status, response.content(100)) == (status, b"not this")


def test_what_is_sent_on_an_aborted_connection_is_not_in_clear(serve, authority) -> None:
    server = serve(answer(200), tls=authority.context("127.0.0.1"))
    host, port = server.server.split(":")
    with closing(Connection.open(("https", host, int(port)), Network("unit/1", verify=False), None)) as connection:
        connection.abort()
        assert isinstance(connection._socket, ssl.SSLSocket)
        assert connection._socket.version(), "the socket is a plain one again"
