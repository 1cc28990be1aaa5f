"""One client connection: CONNECT, TLS, and its requests in turn."""

from __future__ import annotations

import contextlib
import functools
import time
import traceback
from typing import BinaryIO, Protocol, cast

from acr_emulator.front import http1
from acr_emulator.front.body import Body
from acr_emulator.front.ca import Authority
from acr_emulator.front.faults import FaultBook, Plan, Rule
from acr_emulator.front.http1 import Head
from acr_emulator.front.log import LogEntry, RequestLog, since_ms
from acr_emulator.front.shape import Dropped, RateLimiter, Shape
from acr_emulator.front.wire import Wire
from acr_emulator.front.writer import Writer
from acr_emulator.messages import BadRequest, Headers, Request, Response, json_response

REGISTRY_SUFFIXES = (".azurecr.io", ".azurecr.cn", ".azurecr.us")
_DRAIN = 32 * 1024 * 1024


class Backend(Protocol):
    """The emulator, as connections use it."""

    authority: Authority
    faults: FaultBook
    log: RequestLog

    def owns(self, host: str, port: int) -> bool:
        """Return whether *host*:*port* exists in the local Azure."""

    def dispatch(self, request: Request) -> Response:
        """Handle a request for one of those hosts."""

    def failure(self, request: Request, status: int) -> Response:
        """Return the response of a service that is too busy or broken."""

    def local(self, request: Request) -> Response:
        """Handle an origin-form request on the proxy's own port."""


class Connection:
    """Serve one socket. *number* is its id in the log."""

    def __init__(self, wire: Wire, number: int, backend: Backend) -> None:
        self._wire = wire
        self._number = number
        self._backend = backend
        self._writer = Writer(wire)
        self._tunnel: tuple[str, int] | None = None
        self._limiters = {"request": RateLimiter(), "response": RateLimiter()}

    def serve(self) -> None:
        """Handle requests until either side ends the connection; no client can make this raise."""
        try:
            while not self._wire.dead and self._serve_one():
                pass
        except (OSError, EOFError, ValueError):
            pass  # the client disconnected, or its TLS failed: no response can reach it
        finally:
            with contextlib.suppress(OSError):
                self._wire.close()

    def _serve_one(self) -> bool:
        try:
            raw = self._wire.read_head()
            if raw is None:
                return False
            head = http1.parse_head(raw)
            if head.method == "CONNECT" and self._tunnel is None:
                return self._open_tunnel(head)
            return self._exchange(head)
        except BadRequest as error:
            self._writer.write(_bad_request(error), Head("GET", "/", "HTTP/1.1", Headers()), close=True)
            return False

    def _open_tunnel(self, head: Head) -> bool:
        host, port = http1.parse_authority(head.target, 443)
        if not self._backend.owns(host, port):
            self._refuse(head, host)
            return True
        self._wire.send(b"HTTP/1.1 200 Connection established\r\n\r\n")
        self._wire.start_tls(self._backend.authority.context(host))
        self._tunnel = (host, port)
        return True

    def _refuse(self, head: Head, host: str) -> None:
        message = f"{host} does not exist in the local Azure: the emulator connects to no other machine\n"
        # The emulator knows that this registry does not exist: 502, as from a proxy. Other hosts are forbidden: 403.
        status = 502 if host.endswith(REGISTRY_SUFFIXES) else 403
        entry = LogEntry(time=time.time(), connection=self._number, headers=dict(head.headers))
        entry.method, entry.host, entry.status = "CONNECT", host, status
        self._backend.log.add(entry)
        self._writer.write(Response(status, [("Content-Type", "text/plain")], message.encode()), head, close=False)

    def _exchange(self, head: Head) -> bool:
        entry = LogEntry(time=time.time(), connection=self._number, headers=dict(head.headers))
        body = Body(self._wire, http1.body_length(head.headers))
        self._wire.continue_due = head.expects_continue and not body.finished
        request = self._request(head, body)
        entry.method, entry.scheme, entry.host = request.method, request.scheme, request.host
        entry.path, entry.query = request.path, request.query
        if request.scheme == "" and request.path.startswith("/_emulator/"):
            return self._finish(self._backend.local(request), head, body, None, entry)
        plan = self._backend.faults.plan(request)
        entry.fault = plan.ids if plan else None
        self._backend.log.responding()
        try:
            return self._respond(request, head, body, plan, entry)
        except (OSError, EOFError) as error:
            entry.error = entry.error or f"{type(error).__name__}: {error}"
            return False
        finally:
            entry.request_bytes, entry.response_bytes = body.received, self._writer.sent
            entry.duration_ms = since_ms(entry.time)
            self._backend.log.responded(entry)

    def _request(self, head: Head, body: Body) -> Request:
        if self._tunnel is None:
            target = http1.parse_target(head.target)
        else:
            target = http1.Target("https", *self._tunnel, *_split(head.target))
        length = None if head.headers.get("Transfer-Encoding") else int(head.headers.get("Content-Length") or 0)
        return Request(
            head.method, target.scheme, target.host, target.port, target.path, target.query,
            head.headers, cast(BinaryIO, body), length,
        )  # fmt: skip

    def _respond(self, request: Request, head: Head, body: Body, plan: Plan | None, entry: LogEntry) -> bool:
        self._writer.sent = 0
        if plan is None:
            return self._finish(self._serviced(request, entry), head, body, None, entry)
        self._before(plan)
        if raw := plan.first("raw"):
            body.drain(_DRAIN)
            self._wire.send(raw.raw.encode("latin-1"))
            return False
        body.shape = Shape(plan, "request", self._limiters["request"], self._drop)
        response = self._canned(request, plan) or self._serviced(_altered(request, plan), entry)
        if self._wire.dead:
            return False
        for rule in plan.of("reset", "cut", "stall", where="handled"):
            self._stall_or_drop(rule)
        _edit(response, plan)
        return self._finish(response, head, body, plan, entry)

    def _canned(self, request: Request, plan: Plan) -> Response | None:
        rule = plan.first("status")
        if rule is None:
            return None
        if rule.body is not None:
            return Response(rule.status, list(rule.headers.items()), rule.body.encode())
        response = self._backend.failure(request, rule.status)
        response.headers += rule.headers.items()
        return response

    def _before(self, plan: Plan) -> None:
        for rule in plan.of("delay"):
            time.sleep(rule.seconds)
        for rule in plan.of("reset", "cut", "stall", where="before"):
            self._stall_or_drop(rule)

    def _stall_or_drop(self, rule: Rule) -> None:
        if rule.action == "stall":
            time.sleep(rule.seconds)
        else:
            self._drop(rule)

    def _drop(self, rule: Rule) -> None:
        if rule.action == "reset":
            self._wire.reset()
        else:
            self._wire.cut()
        raise Dropped(f"{rule.action} by {rule.id}")

    def _serviced(self, request: Request, entry: LogEntry) -> Response:
        try:
            handler = self._backend.dispatch if request.scheme else self._backend.local
            return handler(request)
        except (EOFError, ConnectionError):
            raise
        except BadRequest as error:
            return _bad_request(error)
        except Exception as error:
            entry.error = "".join(traceback.format_exception(error))
            message = f"{type(error).__name__}: {error}"
            return json_response(500, {"error": {"code": "InternalError", "message": message}})

    def _finish(self, response: Response, head: Head, body: Body, plan: Plan | None, entry: LogEntry) -> bool:
        """Send the response and drain the request; return whether the connection stays open."""
        unread = self._wire.continue_due
        too_long = not body.finished and not body.chunked and body.left > _DRAIN
        close = not head.keep_alive or unread or too_long or body.broken
        shape = functools.partial(Shape, plan, "response", self._limiters["response"], self._drop) if plan else None
        entry.status = response.status
        close = self._writer.write(response, head, close=close, shape=shape)
        if not close and not body.finished:
            close = not body.drain(_DRAIN)
        return not close


def _split(target: str) -> tuple[str, str]:
    if not target.startswith("/"):
        raise BadRequest(f"not a request target: {target[:80]!r}")
    path, _, query = target.partition("?")
    return http1.decode_path(path), query


def _bad_request(error: BadRequest) -> Response:
    return json_response(400, {"error": {"code": "BadRequest", "message": str(error)}})


def _altered(request: Request, plan: Plan) -> Request:
    request.faults = plan.names
    if "ignore_range" in request.faults:
        request.headers = Headers((name, value) for name, value in request.headers if name.lower() != "range")
    return request


def _edit(response: Response, plan: Plan) -> None:
    headers = Headers(response.headers)
    if plan.first("wrong_content_range") and (given := headers.get("Content-Range")):
        headers.set("Content-Range", _shifted(given))
    for rule in plan.of("set_headers"):
        for name, value in rule.headers.items():
            headers.set(name, value)
    dropped = {name.lower() for rule in plan.of("drop_headers") for name in rule.headers}
    response.headers = [(name, value) for name, value in headers if name.lower() not in dropped]


def _shifted(content_range: str) -> str:
    """Return the Content-Range shifted by one byte, as a broken cache or proxy might send it."""
    unit, _, rest = content_range.partition(" ")
    positions, _, total = rest.partition("/")
    first, _, last = positions.partition("-")
    return f"{unit} {int(first) + 1}-{int(last) + 1}/{total}" if last else content_range
