"""Requests stay on the registry, and a 401 renews the token once."""

from __future__ import annotations

import pytest

from azext_acrartifact import errors
from azext_acrartifact.transport.authorization import Scope
from tests.support.server import respond
from tests.unit.oci.samples import HELLO, MANIFEST, Open


def test_no_request_goes_to_another_host(serve, registry: Open) -> None:
    server, other = serve(respond(204)), serve(respond(204))
    with pytest.raises(errors.ProtocolError, match="not on the registry"):
        registry(server).manifests._api.send(Scope.of("a", "pull"), "GET", f"{other.url}/v2/a/manifests/1")
    assert other.requests == server.requests == []


def test_after_a_401_the_same_body_is_sent_once_more_with_a_fresh_token(serve, registry: Open) -> None:
    challenge = 'Bearer realm="{}/token",service="s",scope="x"'
    server = serve(
        respond(401),
        respond(200, b'{"token":"t1"}'),
        respond(201),
        respond(401),
        respond(200, b'{"token":"t2"}'),
        respond(401),
    )
    server._left[0] = respond(401, WWW_Authenticate=challenge.format(server.url))
    server._left[3] = server._left[5] = server._left[0]
    opened = registry(server)
    opened.manifests.put("a", MANIFEST, "1")
    with pytest.raises(errors.SignInError):
        opened.manifests.put("a", MANIFEST, "1")
    puts = [sent for sent in server.requests if sent.method == "PUT"]
    assert [sent.headers.get("authorization") for sent in puts] == [None, "Bearer t1", "Bearer t1", "Bearer t2"]
    assert {sent.body for sent in puts} == {MANIFEST.raw}


def test_a_401_of_the_storage_host_renews_no_token(serve, registry: Open) -> None:
    storage = serve(respond(401, WWW_Authenticate="Basic"))
    server = serve(respond(307, Location=f"{storage.url}/x"))
    with pytest.raises(errors.SignInError):
        registry(server).blobs("a").fetch(HELLO)
    assert (len(storage.requests), len(server.requests)) == (1, 1)
