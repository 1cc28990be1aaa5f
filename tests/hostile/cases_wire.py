"""Bodies, headers, connections and clocks (R11, R12, R16, R17, R18)."""

from __future__ import annotations

import gzip
import itertools
import random
from collections.abc import Callable, Iterator

from tests.hostile.case import GETS_IT, REFUSES, Case, Command, Right, either
from tests.hostile.names import EVIL
from tests.hostile.site import GOOD, MANIFEST, Play, Site, digest_of, error, on, response, rule, site, unending
from tests.hostile.tars import zeros
from tests.hostile.wire import Response, Sent

BLOB = "GET .*/blobs/sha256"
MANIFESTS = "GET .*/manifests/"
HTTP = b"HTTP/1.1 "
LENGTH = b"Content-Length: %d\r\n" % len(GOOD)
TYPE = b"Content-Type: " + MANIFEST.encode() + b"\r\n"


def bytes_of(text: bytes, after: str = "close") -> Response:
    """Return a raw response."""
    return Response(text, after)  # type: ignore[arg-type]


def good_manifest(wrap: Callable[[bytes], bytes]) -> Callable[[], Site]:
    """Return a maker of a registry whose manifest response *wrap* writes."""
    return on(MANIFESTS, lambda made, sent: bytes_of(wrap(made.manifests["1.0"][1])))


CUT = bytes_of(HTTP + b"200 OK\r\n" + LENGTH + b"\r\n" + GOOD[:3000])
CHUNKED = HTTP + b"200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _cut_then_range(made: Site, sent: Sent) -> Response | None:
    return None if "range" in sent.headers else CUT


def _lying_range(made: Site, sent: Sent) -> Response | None:
    if "range" not in sent.headers:
        return CUT
    return response(206, b"evil" * 2000, Content_Range=f"bytes 3000-{len(GOOD) - 1}/{len(GOOD)}")


def _unasked_range(made: Site, sent: Sent) -> Response | None:
    if "range" not in sent.headers:
        return CUT
    return response(206, GOOD[5000:], Content_Range=f"bytes 5000-{len(GOOD) - 1}/{len(GOOD)}")


def _no_range(made: Site, sent: Sent) -> Response | None:
    return response(200, GOOD) if "range" in sent.headers else CUT


def _always_416(made: Site, sent: Sent) -> Response | None:
    return response(416) if "range" in sent.headers else CUT


BODIES: dict[str, tuple[str, str, Play, Right]] = {
    "wrong": ("R12", "other bytes of the right length", response(200, b"e" * len(GOOD)), REFUSES),
    "longer": ("R12", "one byte more", response(200, GOOD + b"!"), REFUSES),
    "shorter": ("R12", "one byte less", response(200, GOOD[:-1]), REFUSES),
    "empty": ("R12", "no byte", response(200), REFUSES),
    "html": ("R12", "a page of a captive portal", response(200, b"<html>Sign in</html>"), REFUSES),
    "206": ("R12", "a range that was not requested", response(206, GOOD[:100], Content_Range="bytes 0-99/10000"), REFUSES),
    "204": ("R12", "204", response(204), REFUSES),
    "lost": ("R17", "it is not there", error(404, "BLOB_UNKNOWN"), REFUSES),
    "cut": ("R17", "it always breaks at 3,000 bytes", CUT, REFUSES),
    "range-lie": ("R17", "it breaks, and resumes with other bytes", _lying_range, REFUSES),
    "endless": ("R11", "a file that does not end", unending(CHUNKED, b"1000\r\n" + b"e" * 4096 + b"\r\n"), REFUSES),
    "endless-no-length": ("R11", "a file without end or length", unending(HTTP + b"200 OK\r\n\r\n", b"e" * 4096), REFUSES),
    "length-lie": ("R11", "it announces 4 GiB", bytes_of(HTTP + b"200 OK\r\nContent-Length: 4294967296\r\n\r\n" + GOOD), REFUSES),
    "encoded": ("R16", "it is compressed without a request for that", response(200, gzip.compress(GOOD), Content_Encoding="gzip"), either()),
    "encoded-bomb": ("R16", "1 GiB of zeros, compressed", lambda made, sent: response(200, _zeros(), Content_Encoding="gzip"), REFUSES),
    "encoded-lie": ("R16", "it says that it is compressed, and is not", response(200, GOOD, Content_Encoding="gzip"), either()),
    "chunk-malformed": ("R11", "a chunk's size is no number", bytes_of(CHUNKED + b"zz\r\nevil\r\n0\r\n\r\n"), REFUSES),
    "chunk-negative": ("R11", "a chunk's size is negative", bytes_of(CHUNKED + b"-5\r\nevil\r\n0\r\n\r\n"), REFUSES),
    "chunk-huge": ("R11", "a chunk's size has 60 digits", bytes_of(CHUNKED + b"f" * 60 + b"\r\n" + GOOD), REFUSES),
    "chunk-line": ("R11", "a chunk's size is a line without end", unending(CHUNKED, b"0" * 65536), REFUSES),
    "chunk-trailers": ("R11", "trailers without end", unending(CHUNKED + b"0\r\n", b"X-Evil: y\r\n" * 100), REFUSES),
    "chunk-cut": ("R17", "it breaks within a chunk", bytes_of(CHUNKED + b"2710\r\n" + GOOD[:10]), REFUSES),
    "tls-cut": ("R17", "the connection closes without a TLS close", Response(HTTP + b"200 OK\r\n\r\n" + GOOD[:100], "reset"), REFUSES),
    "coding-unknown": ("R11", "an unknown transfer coding", response(200, GOOD, Transfer_Encoding="evil"), REFUSES),
    "coding-twice": ("R11", "chunked twice", bytes_of(HTTP + b"200 OK\r\nTransfer-Encoding: chunked, chunked\r\n\r\n" + GOOD), REFUSES),
    "429": ("R17", "wait for 999,999 s", error(429, "TOOMANYREQUESTS", Retry_After="999999"), REFUSES),
    "429-date": ("R17", "wait until the year 9999", error(429, "TOOMANYREQUESTS", Retry_After="Fri, 31 Dec 9999 23:59:59 GMT"), REFUSES),
    "429-digits": ("R17", "wait for 10^5000 s", error(429, "TOOMANYREQUESTS", Retry_After="9" * 5000), REFUSES),
    "503-always": ("R17", "503, with Retry-After: 0", response(503, Retry_After="0"), REFUSES),
    "500-ansi": ("R14", "an error that is a terminal command", response(500, b"\x1b[2J##vso[a]b", Retry_After="0"), REFUSES),
    "stall": ("R18", "silence after 3,000 bytes", bytes_of(HTTP + b"200 OK\r\n" + LENGTH + b"\r\n" + GOOD[:3000], "hang"), REFUSES),
    "trickle": ("R18", "a byte now and then", unending(HTTP + b"200 OK\r\n" + LENGTH + b"\r\n", b"e", 0.3), REFUSES),
    "silence": ("R18", "no response at all", bytes_of(b"", "hang"), REFUSES),
    "reset": ("R17", "a reset, every time", Response(b"", "reset"), REFUSES),
    "closed": ("R17", "the end, every time", bytes_of(b""), REFUSES),
    "101": ("R11", "101 Switching Protocols", bytes_of(HTTP + b"101 Switching Protocols\r\nUpgrade: evil\r\n\r\n" + GOOD, "hang"), REFUSES),
    "304": ("R12", "304, without a condition", response(304), REFUSES),
}  # fmt: skip

RECOVERS: dict[str, tuple[str, tuple[Play, ...], int | None]] = {
    "cut-once": ("it breaks once at 3,000 bytes", (_cut_then_range,), None),
    "no-range": ("it breaks, and knows no ranges", (_no_range,), None),
    "cut-416": ("it breaks, and refuses ranges", (_always_416,), 2),
    "range-other": ("it breaks, and resumes at another offset", (_unasked_range,), 2),
    "500-once": ("500 once", (error(500, "UNKNOWN"),), 1),
    "503-once": ("503 once", (response(503, Retry_After="1"),), 1),
    "reset-once": ("a reset, once", (Response(b"", "reset"),), 1),
    "401-once": ("401 once: the token has expired", (error(401, "UNAUTHORIZED", WWW_Authenticate=f'Bearer realm="https://{EVIL}/token",scope="repository:x:*"'),), 1),
    "429-once": ("429 once", (error(429, "TOOMANYREQUESTS", Retry_After="1"),), 1),
}  # fmt: skip

HEADS: dict[str, tuple[str, Response]] = {
    "not-http": ("another protocol", bytes_of(b"SSH-2.0-OpenSSH_9.6\r\n")),
    "garbage": ("noise", bytes_of(bytes(range(256)) * 40)),
    "status-text": ("a status that is no number", bytes_of(HTTP + b"OK 200\r\n\r\n")),
    "status-huge": ("status 99999", bytes_of(HTTP + b"99999 X\r\nContent-Length: 0\r\n\r\n")),
    "status-600": ("status 600", bytes_of(HTTP + b"600 X\r\nContent-Length: 0\r\n\r\n")),
    "status-line": ("a status line without end", unending(HTTP + b"200 ", b"A" * 65536)),
    "version": ("HTTP/9.9", bytes_of(b"HTTP/9.9 200 OK\r\nContent-Length: 2\r\n\r\n{}")),
    "header-endless": ("a header line without end", unending(HTTP + b"200 OK\r\nX: ", b"A" * 65536)),
    "headers-endless": ("header lines without end", unending(HTTP + b"200 OK\r\n", b"X-Evil: y\r\n" * 1000)),
    "header-no-colon": ("a header line without colon", bytes_of(HTTP + b"200 OK\r\nevil\r\nContent-Length: 0\r\n\r\n")),
    "header-space": ("a space before the colon", bytes_of(HTTP + b"200 OK\r\nContent-Length : 0\r\n\r\n")),
    "header-folded": ("a folded header", bytes_of(HTTP + b"200 OK\r\nX: a\r\n evil: b\r\nContent-Length: 0\r\n\r\n")),
    "length-negative": ("Content-Length: -1", bytes_of(HTTP + b"200 OK\r\nContent-Length: -1\r\n\r\n{}")),
    "length-text": ("Content-Length: 0x10", bytes_of(HTTP + b"200 OK\r\nContent-Length: 0x10\r\n\r\n{}")),
    "length-digits": ("Content-Length of 5,000 digits", bytes_of(HTTP + b"200 OK\r\nContent-Length: " + b"9" * 5000 + b"\r\n\r\n{}")),
    "length-list": ("Content-Length: 2, 2", bytes_of(HTTP + b"200 OK\r\nContent-Length: 2, 2\r\n\r\n{}")),
    "100-endless": ("100 Continue without end", unending(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 100)),
    "103-endless": ("103 Early Hints without end", unending(b"", b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" * 100, 0.01)),
    "silence": ("no response at all", bytes_of(b"", "hang")),
    "slow-head": ("a head that never ends", unending(HTTP + b"200 OK\r\nX: ", b"a", 0.3)),
}  # fmt: skip


BLANKS = b" " * 300
"""Sent every 0.1 s, this is just above the least rate: a limit of the rate alone allows it for hours."""
SLOWLY: dict[str, tuple[bytes, bytes]] = {
    "blanks": (HTTP + b"200 OK\r\n" + TYPE + b"\r\n{", BLANKS),
    "blanks-chunked": (CHUNKED.replace(b"\r\n\r\n", b"\r\n" + TYPE + b"\r\n"), b"12c\r\n" + BLANKS + b"\r\n"),
    "chunk-extension": (CHUNKED + b"1;", b"e" * 300),
    "error-blanks": (HTTP + b"404 Not Found\r\n\r\n{", BLANKS),
    "interim": (HTTP + b"103 Early Hints\r\nLink: ", b"e" * 300),
    "interim-headers": (HTTP + b"103 Early Hints\r\n", b"Link: " + b"e" * 300 + b"\r\n"),
    "header": (HTTP + b"200 OK\r\nX: ", b"e" * 300),
    "headers": (HTTP + b"200 OK\r\n", b"X: " + b"e" * 300 + b"\r\n"),
}
"""The start of a response, and what then comes slowly for ever."""
SLOW: dict[str, tuple[str, Command, str]] = {
    "token": ("the token", "pull", "POST .*/oauth2/token"),
    "manifest": ("the manifest", "pull", MANIFESTS),
    "tags": ("a page of tags", "list", "GET .*/(tags/list|_manifests)$"),
    "referrers": ("a page of referrers", "referrers", "GET .*/referrers/"),
    "upload": ("the start of an upload", "push", "POST .*/blobs/uploads/"),
    "blob-head": ("a file's headers", "pull", BLOB),
}
"""What the slow response is for."""


def _slow_cases() -> Iterator[Case]:
    for what, (described, command, match) in SLOW.items():
        for how, (start, block) in SLOWLY.items():
            body_of_blob = what == "blob-head" and how == "blanks"
            if not body_of_blob and (what in ("manifest", "token") or how in ("blanks", "interim", "headers")):
                does = f"{described}: {how}, just above the least rate, without end"
                made = on(match, unending(start.replace(TYPE, b"") if what == "token" else start, block, 0.1))
                yield Case(f"slow-{what}-{how}", "R28", does, made, REFUSES, command)


def _interim(made: Site, sent: Sent) -> Response:
    """Send the manifest after five early hints, each of which is slow."""
    hints = [
        block for _ in range(5) for block in (HTTP + b"103 Early Hints\r\nLink: ", *[b"e" * 300] * 30, b"\r\n\r\n")
    ]
    raw = made.manifests["1.0"][1]
    end = HTTP + b"200 OK\r\n" + TYPE + b"Content-Length: %d\r\n\r\n" % len(raw) + raw
    return Response(lambda: [*hints, end], "close", 0.1)


LARGE = random.Random(1).randbytes(4 << 20)
RANGED = random.Random(2).randbytes(17 << 20)
"""A file that is downloaded in ranges."""


def large(content: bytes, *plays: Play) -> Callable[[], Site]:
    """Return a maker of a registry with a large file `a.txt`."""
    return lambda: site({"a.txt": content}, *(rule(f"{BLOB}:{digest_of(content)[7:]}", play) for play in plays))


def _creeping(step: int) -> Play:
    """Return a host that ignores Range and breaks *step* bytes later each time."""
    number = itertools.count(1)

    def play(made: Site, sent: Sent) -> Response:
        content = made.blobs[sent.path.rpartition("/")[2]]
        head = HTTP + b"200 OK\r\nContent-Length: %d\r\n\r\n" % len(content)
        return bytes_of(head + content[: min(next(number) * step, len(content) - 1)])

    return play


def _another_each_time(made: Site, sent: Sent) -> Response:
    """Break at 128 KiB; from there on, the file is another one."""
    if "range" not in sent.headers:
        return bytes_of(HTTP + b"200 OK\r\nContent-Length: %d\r\n\r\n" % len(LARGE) + LARGE[: 128 << 10])
    return response(
        206, b"e" * (len(LARGE) - (128 << 10)), Content_Range=f"bytes {128 << 10}-{len(LARGE) - 1}/{len(LARGE)}"
    )


def _copied(play: Play) -> Site:
    """Return a registry that mounts nothing, so that a copy streams the file."""
    made = large(LARGE, play)()
    made.rules += [rule("HEAD .*/released/", response(404))]
    return made


NO_END: dict[str, tuple[str, bytes, Callable[[], Play]]] = {
    "creeps": ("it ignores Range, and breaks a little later each time", LARGE, lambda: _creeping(300 << 10)),
    "ranged-creeps": ("the same with a file in ranges", RANGED, lambda: _creeping(1 << 20)),
    "changes": ("it breaks at 128 KiB, and is then another file, each time", LARGE, lambda: _another_each_time),
}


def _no_end_cases() -> Iterator[Case]:
    for name, (does, content, play) in NO_END.items():
        for command in ("pull", "backup"):
            make = lambda content=content, play=play: large(content, play())()  # noqa: E731
            yield Case(f"blob-{name}-{command}", "R27", f"a file: {does}", make, REFUSES, command)  # type: ignore[arg-type]


def _zeros() -> bytes:
    return zeros(16)


def _two_responses(raw: bytes) -> bytes:
    """Return the manifest, followed by a response to a request that was not sent yet."""
    forged = HTTP + b"200 OK\r\n" + LENGTH + b"\r\n" + b"e" * len(GOOD)
    return HTTP + b"200 OK\r\n" + TYPE + b"Content-Length: %d\r\n\r\n" % len(raw) + raw + forged


def _two_at_once(made: Site, sent: Sent) -> Response:
    return Response(_two_responses(made.manifests["1.0"][1]))


def _hinted(raw: bytes) -> bytes:
    return (
        b"HTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n"
        + HTTP
        + b"200 OK\r\n"
        + TYPE
        + b"Content-Length: %d\r\n\r\n" % len(raw)
        + raw
    )


def _cookies(made: Site, sent: Sent) -> Response | None:
    if "cookie" in sent.headers:
        return response(200, b"evil")
    return response(
        200, made.manifests["1.0"][1], Content_Type=MANIFEST, Set_Cookie="evil=1; Domain=azurecr.io; Path=/"
    )


CASES = [
    *(Case(f"blob-{name}", req, f"a file: {does}", on(BLOB, play), right) for name, (req, does, play, right) in BODIES.items()),
    *(Case(f"blob-{name}", "R17", f"a file: {does}", on(BLOB, *plays, times=times), GETS_IT) for name, (does, plays, times) in RECOVERS.items()),
    *(Case(f"http-{name}", "R18" if "endless" in name or name[0] == "s" else "R11", f"the manifest's response: {does}", on(MANIFESTS, play)) for name, (does, play) in HEADS.items()),
    *_slow_cases(),
    *_no_end_cases(),
    Case("blob-creeps-copy", "R27", "a file that is copied: it ignores Range, and breaks a little later each time", lambda: _copied(_creeping(300 << 10)), command="copy", ours_only=True),
    Case("slow-manifest-five-interim", "R28", "the manifest: five early hints, each just above the least rate", on(MANIFESTS, _interim)),
    Case("http-length-twice", "R11", "two lengths that differ", good_manifest(lambda raw: HTTP + b"200 OK\r\n" + TYPE + b"Content-Length: 5\r\nContent-Length: %d\r\n\r\n" % len(raw) + raw)),
    Case("http-length-and-chunks", "R11", "a length and chunks", good_manifest(lambda raw: HTTP + b"200 OK\r\n" + TYPE + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(raw), raw)), either()),
    Case("http-two-answers", "R11", "a second response without a request", on(MANIFESTS, _two_at_once), either()),
    Case("http-1.0", "R11", "HTTP/1.0, which ends with the connection", good_manifest(lambda raw: b"HTTP/1.0 200 OK\r\n" + TYPE + b"\r\n" + raw), either()),
    Case("http-0.9", "R11", "a body without a head", good_manifest(lambda raw: raw)),
    Case("http-103", "R18", "one early hint", good_manifest(_hinted), GETS_IT),
    Case("http-cookie", "R16", "it sets a cookie for all registries", on(MANIFESTS, _cookies), GETS_IT),
]  # fmt: skip
