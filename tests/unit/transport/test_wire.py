"""One request over a real connection: what is sent, what is believed, and when it is given up."""

from __future__ import annotations

import contextlib
import io
import threading
import time
from collections.abc import Iterator

import pytest

from azext_acrartifact.errors import ConnectionFailedError, ProtocolError, SilentError
from azext_acrartifact.oci.content import Chunk, Memory
from azext_acrartifact.transport import connection
from azext_acrartifact.transport.client import HttpClient
from azext_acrartifact.transport.http_response import EXTRA_LIMIT, FIELDS_LIMIT, LINE_LIMIT
from azext_acrartifact.transport.messages import Request, Response
from azext_acrartifact.transport.network import Network
from azext_acrartifact.transport.retry import Policy
from tests.support.server import Answer, ScriptedServer, answer

LIMIT = 10_000_000


def get(http: HttpClient, server: ScriptedServer, path: str = "/", **options) -> bytes:
    with http.send(Request("GET", server.url + path, **options)) as response:
        return response.content(LIMIT)


def drain(response: Response, size: int) -> None:
    """Read all of the body, at most *size* bytes at once."""
    buffer = memoryview(bytearray(size))
    while response.readinto(buffer):
        pass


@pytest.fixture
def once() -> Iterator[HttpClient]:
    """A client that tries once."""
    client = HttpClient(Network("unit/1"), policy=Policy(tries=1))
    yield client
    client.close()


def test_a_request_says_who_we_are_and_takes_no_encoding(serve, http) -> None:
    server = serve(answer(200, b"hello"))
    http = HttpClient(Network("unit/1", headers={"X-Client": "us"}))
    assert (
        get(http, server, "/a%20b?n=1&last=x", headers={"Accept": "text/plain"}, authorization="Bearer t") == b"hello"
    )
    (sent,) = server.requests
    assert (sent.method, sent.target, sent.body) == ("GET", "/a%20b?n=1&last=x", b"")
    assert sent.headers == {
        "host": server.server, "user-agent": "unit/1", "accept-encoding": "identity", "x-client": "us",
        "accept": "text/plain", "authorization": "Bearer t",
    }  # fmt: skip
    http.close()


@pytest.mark.parametrize(
    ("method", "body", "length"),
    [
        ("POST", None, "0"), ("PUT", b"", "0"), ("PATCH", b"abc", "3"), ("PUT", b"x" * 200_000, "200000"),
        ("GET", None, None), ("HEAD", None, None), ("DELETE", None, None), ("DELETE", b"abc", "3"),
        ("PATCH", Chunk(Memory(b"0123456789"), 2, 5), "5"), ("PUT", Chunk(Memory(b""), 0, 0), "0"),
    ],
)  # fmt: skip
def test_a_body_has_its_length(serve, http, method: str, body, length: str | None) -> None:
    server = serve(answer(201))
    http.send(Request(method, server.url + "/", body=body)).close()
    (sent,) = server.requests
    assert sent.headers.get("content-length") == length
    assert len(sent.body) == int(length or 0)
    assert "transfer-encoding" not in sent.headers


def test_a_range_of_some_content_is_sent_as_it_is(serve, http) -> None:
    data = bytes(range(256)) * 20_000
    server = serve(answer(202))
    http.send(Request("PATCH", server.url + "/", body=Chunk(Memory(data), 17, 3_000_000))).close()
    assert server.requests[0].body == data[17:3_000_017]


def test_a_body_that_ends_early_fails(serve, once) -> None:
    class Short:
        size = 10

        def open(self) -> io.BytesIO:
            return io.BytesIO(b"12345")

    server = serve(answer(201))
    with pytest.raises(ConnectionFailedError, match="ended early"):
        once.send(Request("PATCH", server.url + "/", body=Short()))


@pytest.mark.parametrize(
    "raw",
    [
        answer(200, b"hello"),
        Answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhe\r\n3;ext=1\r\nllo\r\n0\r\n\r\n"),
        Answer(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n" + answer(200, b"hello").raw),
        Answer(b"HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello"),
    ],
    ids=["sized", "chunked", "interim", "keep-alive"],
)
def test_a_connection_is_kept_for_the_next_request(serve, http, raw: Answer) -> None:
    server = serve(raw, raw, raw)
    assert [get(http, server), get(http, server), get(http, server)] == [b"hello"] * 3
    assert server.connections == 1


@pytest.mark.parametrize("method", ["HEAD", "GET", "DELETE", "PUT"])
def test_an_answer_without_a_body_leaves_its_connection_usable(serve, http, method: str) -> None:
    empty = (
        Answer(b"HTTP/1.1 204 No Content\r\n\r\n")
        if method != "HEAD"
        else Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 12345\r\n\r\n")
    )
    server = serve(empty, empty, answer(200, b"hello"))
    for _ in range(2):
        with http.send(Request(method, server.url + "/")):
            pass
    assert get(http, server) == b"hello"
    assert server.connections == 1


@pytest.mark.parametrize(
    "raw",
    [
        Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello"),
        Answer(b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello"),
        Answer(b"HTTP/1.1 200 OK\r\n\r\nhello", "close"),
    ],
    ids=["close", "http-1.0", "until-close"],
)
def test_a_connection_that_ends_is_not_used_again(serve, http, raw: Answer) -> None:
    server = serve(raw, answer(200, b"again"))
    assert get(http, server) == b"hello"
    assert not any(http._pool._idle.values())
    assert get(http, server) == b"again"
    assert server.connections == 2


def test_a_body_that_is_given_up_takes_its_connection_along(serve, http) -> None:
    server = serve(answer(200, b"x" * 1_000_000), answer(200, b"next"))
    http.send(Request("GET", server.url + "/")).close()
    assert get(http, server) == b"next"
    assert server.connections == 2


@pytest.mark.parametrize(("method", "repeated"), [("GET", True), ("PUT", True), ("POST", False), ("PATCH", False)])
@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_kept_connection_that_died_is_replaced_for_safe_requests_alone(
    serve, once, method: str, repeated: bool, end: str
) -> None:
    server = serve(answer(200, b"one"), Answer(b"", end), answer(200, b"two"))
    assert get(once, server) == b"one"
    request = Request(method, server.url + "/", body=b"body" if method != "GET" else None)
    if repeated:
        assert once.send(request).content(10) == b"two"
        assert len(server.requests) == 3
    else:
        with pytest.raises(ConnectionFailedError):
            once.send(request)
        assert len(server.requests) == 2


@pytest.mark.parametrize("end", ["close", "reset"])
def test_a_kept_connection_that_was_closed_meanwhile_is_not_used(serve, once, end: str) -> None:
    server = serve(Answer(answer(200, b"one").raw, end), answer(200, b"two"))
    assert get(once, server) == b"one"
    (kept,) = [connection for idle in once._pool._idle.values() for connection in idle]
    limit = time.monotonic() + 10
    while not kept.is_stale and time.monotonic() < limit:
        time.sleep(0.01)
    assert once.send(Request("PATCH", server.url + "/", body=b"x")).content(10) == b"two"
    assert len(server.requests) == 2


def test_an_early_answer_to_a_big_body_is_seen_and_ends_the_connection(serve, http) -> None:
    refusal = Answer(answer(413, b"too large").raw, "close", body_read=1000)
    server = serve(refusal, answer(200, b"next"))
    with http.send(
        Request("PATCH", server.url + "/", body=Chunk(Memory(bytes(60_000_000)), 0, 60_000_000))
    ) as response:
        assert (response.status, response.content(100)) == (413, b"too large")
    # A PATCH is not repeated, so it must not meet the dead connection.
    assert http.send(Request("PATCH", server.url + "/", body=b"x")).content(10) == b"next"


def test_a_reset_without_an_answer_stays_a_reset(serve, once) -> None:
    server = serve(Answer(b"", "reset", body_read=1000))
    with pytest.raises(ConnectionFailedError, match="reset"):
        once.send(Request("PATCH", server.url + "/", body=Chunk(Memory(bytes(60_000_000)), 0, 60_000_000)))


@pytest.mark.parametrize(
    "raw",
    [
        Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "close"),
        Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "reset"),
        Answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", "close"),
        Answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhello", "close"),
        Answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nfive\r\nhello\r\n", "close"),
    ],
    ids=["short", "reset", "no-last-chunk", "short-chunk", "bad-chunk-size"],
)
def test_a_body_that_breaks_off_is_an_error_however_it_is_read(serve, once, raw: Answer) -> None:
    server = serve(raw, raw)
    with pytest.raises(ConnectionFailedError, match="connection"):
        get(once, server)
    response = once.send(Request("GET", server.url + "/?sig=secret"))
    with pytest.raises(ConnectionFailedError) as caught:
        drain(response, 3)
    assert "secret" not in caught.value.message


@pytest.mark.parametrize(
    "raw",
    [
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 OK\r\n\r\n",
        b"HTTP/2.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/0.9 200 OK\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 99999 OK\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX Y: blank\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: a\r\n folded\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\xa0X: latin\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: gzip\r\n\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5, 6\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 30 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 " + b"x" * 70_000 + b"\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 102 + b"\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * 6 + answer(200).raw,
        b"HTTP/1.1 103 Early Hints\r\n\r\n" * 6 + answer(200).raw,
    ],
    ids=[
        "ssh", "no-status", "two", "nine", "big-status", "no-field", "no-name", "blank-in-name", "folded", "latin-name",
        "unequal-lengths", "unequal-codings", "negative", "two-lengths", "huge-length", "coding", "long-field",
        "long-reason", "many-fields", "interim-100", "interim-103",
    ],
)  # fmt: skip
def test_what_is_not_http_is_refused_at_once(serve, http, raw: bytes) -> None:
    server = serve(Answer(raw, "close"), answer(200))
    with pytest.raises(ProtocolError, match="not HTTP"):
        http.send(Request("GET", server.url + "/"))
    assert server.left == 1


@pytest.mark.parametrize(
    "head",
    [b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 1", b"HTTP/1.1 307 Go\r\nLocation: /a\r\nX"],
)
def test_a_head_that_ends_early_is_a_broken_connection(serve, once, head: bytes) -> None:
    """What is left of its last field may be another address or another length."""
    server = serve(Answer(head, "close"))
    with pytest.raises(ConnectionFailedError, match="ended early"):
        get(once, server)


def test_the_longest_field_and_the_most_fields_are_taken(serve, http) -> None:
    longest = b"X: " + b"x" * (LINE_LIMIT - 5) + b"\r\n"
    assert len(longest) == LINE_LIMIT
    many = b"".join(b"X%d: y\r\n" % number for number in range(FIELDS_LIMIT - 2))
    server = serve(Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n" + longest + many + b"\r\nc"))
    assert get(http, server) == b"c"
    assert (LINE_LIMIT, FIELDS_LIMIT) == (64 * 1024, 100)


def test_of_equal_fields_the_first_wins(serve, http) -> None:
    raw = b"HTTP/1.1 200 OK\r\nX: a\r\nx: b\r\nContent-Length: 1\r\nContent-length: 1\r\n\r\nc"
    server = serve(Answer(raw))
    with http.send(Request("GET", server.url + "/")) as response:
        assert (response.headers["X"], response.content(5)) == ("a", b"c")


def test_five_interim_answers_are_borne(serve, http) -> None:
    server = serve(Answer(b"HTTP/1.1 100 Continue\r\n\r\n" * 5 + answer(200, b"x").raw))
    assert get(http, server) == b"x"


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    "body",
    [
        b"5\r\nhello\r\n0\r\n\r\n",
        b"005 ;name=value\r\nhello\r\n0;last\r\nTrailer: x\r\n\r\n",
        b"2\nhe\r\n3;x=\xff\r\nllo\r\n0\n\n",
        b"5;" + b"x" * 60_000 + b"\r\nhello\r\n0\r\nX: y\r\n\r\n",
    ],
)
def test_chunks_may_have_extensions_and_trailers(serve, http, body: bytes) -> None:
    server = serve(Answer(CHUNKED + body), answer(200, b"next"))
    assert get(http, server) == b"hello"
    assert get(http, server) == b"next"
    assert server.connections == 1


@pytest.mark.parametrize("length", [b"0", b"3", b"99"])
def test_chunks_go_before_a_length(serve, http, length: bytes) -> None:
    """RFC 9112 §6.3: a length beside chunks says nothing."""
    head = CHUNKED.removesuffix(b"\r\n") + b"Content-Length: " + length + b"\r\n\r\n"
    assert get(http, serve(Answer(head + b"5\r\nhello\r\n0\r\n\r\n"))) == b"hello"


@pytest.mark.parametrize("size", [b"-5", b"+5", b"0x5", b"5_0", b" 5", b"", b"five", b"1" * 17, b"5 5"])
def test_a_chunk_of_no_size_breaks_the_answer_off(serve, once, size: bytes) -> None:
    server = serve(Answer(CHUNKED + size + b"\r\nhello\r\n0\r\n\r\n", "close"))
    with pytest.raises(ConnectionFailedError, match="ended early"):
        get(once, server)


@pytest.mark.parametrize(
    "endless",
    [
        b"0\r\n" + b"X: y\r\n" * 20_000,
        (b"1;" + b"x" * 1000 + b"\r\n.\r\n") * 100,
        b"0\r\n" + b"x" * 70_000,
        b"5;" + b"x" * 70_000,
    ],
    ids=["trailers", "extensions", "trailer", "extension"],
)
def test_what_stands_between_chunks_is_bounded(serve, once, endless: bytes) -> None:
    """http.client reads trailers for as long as they come, and a body of a megabyte could take 64 gigabytes."""
    server = serve(Answer(CHUNKED + endless, "close"))
    with pytest.raises(ProtocolError, match="not HTTP that can be used"):
        get(once, server)


def test_silence_is_an_error_of_its_own(serve) -> None:
    server = serve(Answer(b"", "hang"))
    client = HttpClient(Network("unit/1", patience=0.01), policy=Policy(tries=1))
    with pytest.raises(SilentError), contextlib.closing(client):
        client.send(Request("GET", server.url + "/", answer_timeout=5))


def test_trailers_may_have_all_of_their_room(serve, http) -> None:
    trailers = (b"X: " + b"x" * (EXTRA_LIMIT // 2 - 5) + b"\r\n") * 2
    assert len(trailers) == EXTRA_LIMIT == 64 * 1024
    assert get(http, serve(Answer(CHUNKED + b"5\r\nhello\r\n0\r\n" + trailers + b"\r\n"))) == b"hello"


def test_a_field_that_cannot_be_sent_is_refused(serve, http) -> None:
    server = serve(answer(200))
    for value in ("a\r\nX-Injected: 1", "\u0100", "\x00"):
        with pytest.raises(ProtocolError):
            http.send(Request("GET", server.url + "/", headers={"X-Name": value}))
    assert server.left == 1


def test_an_answer_that_does_not_come_is_given_up(serve, once) -> None:
    server = serve(Answer(b"", "hang"))
    with pytest.raises(ConnectionFailedError, match="no answer in time"):
        get(once, server, answer_timeout=0.05)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n",
        b"HTTP/1.1 200 OK\r\n\r\n",
    ],
    ids=["sized", "chunked", "until-close"],
)
@pytest.mark.parametrize("buffer_size", [1, 1_000_000])
def test_a_body_that_trickles_is_given_up(
    serve, once, head: bytes, buffer_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each byte resets a socket's timeout, so that alone would wait for ever."""
    monkeypatch.setattr(connection, "STALL_WINDOW", 0.15)
    server = serve(Answer(lambda: [head, *[b"x"] * 5000], pause=0.02))
    response = once.send(Request("GET", server.url + "/"))
    with pytest.raises(ConnectionFailedError, match=r"only [0-9]+ bytes in"):
        drain(response, buffer_size)
    assert server.requests


def test_a_head_that_trickles_is_given_up(serve, once, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "STALL_WINDOW", 0.15)
    server = serve(Answer(lambda: [b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nX: ", *[b"x"] * 500], pause=0.02))
    with pytest.raises(ConnectionFailedError, match=r"only [0-9]+ bytes in"):
        get(once, server)


def test_a_body_that_falls_silent_is_given_up(serve, once, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "READ_TIMEOUT", 0.05)
    server = serve(Answer(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", "hang"))
    with pytest.raises(ConnectionFailedError, match="no answer in time"):
        get(once, server)


def test_a_slow_reader_is_not_a_slow_server(serve, once, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time that we spend between two reads, on a disk or asleep, is not the server's."""
    monkeypatch.setattr(connection, "STALL_WINDOW", 0.1)
    server = serve(answer(200, b"x" * 3000))
    response = once.send(Request("GET", server.url + "/"))
    buffer = memoryview(bytearray(1000))
    for _ in range(3):
        assert response.readinto(buffer) == 1000
        threading.Event().wait(0.12)
    assert response.readinto(buffer) == 0


def test_a_slow_answer_is_not_a_stall(serve, once, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until the first byte `answer_timeout` alone counts: a registry that checks a big blob takes its time."""
    monkeypatch.setattr(connection, "STALL_WINDOW", 0.1)
    server = serve(Answer(answer(201, b"done").raw, delay=0.2))
    assert get(once, server) == b"done"


def test_a_refused_connection_says_so(serve, once) -> None:
    closed = serve()
    closed.close()
    with pytest.raises(ConnectionFailedError, match="refused") as caught:
        get(once, closed)
    assert "127.0.0.1 may be reached" in caught.value.hint


def test_threads_have_connections_of_their_own(serve, http) -> None:
    barrier = threading.Barrier(4, timeout=60)

    def meet(sent) -> Answer:
        barrier.wait()
        return answer(200, sent.path.encode())

    server = serve(meet, forever=True)
    found: list[bytes] = []
    threads = [threading.Thread(target=lambda n=n: found.append(get(http, server, f"/{n}"))) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(found) == [b"/0", b"/1", b"/2", b"/3"]
    assert server.connections == 4
