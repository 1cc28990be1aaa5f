"""The control API, `/_emulator/…` on the proxy's own port: log, faults, settings, tokens. README.md lists it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from acr_emulator.front.faults import FaultBook
from acr_emulator.front.log import RequestLog
from acr_emulator.front.settings import Snapshot, apply_settings, describe
from acr_emulator.messages import BadRequest, Request, Response, json_response
from acr_emulator.world import World

PREFIX = "/_emulator/"
Handler = Callable[[Request], Response]


class Control:
    """Serve `/_emulator/…`; a request that it does not understand gets 400."""

    def __init__(self, world: World, log: RequestLog, faults: FaultBook) -> None:
        self._world = world
        self._log = log
        self._faults = faults
        self._start = Snapshot(world)
        self._routes: dict[tuple[str, str], Handler] = {
            ("GET", "health"): lambda _: json_response(200, {"status": "ok"}),
            ("GET", "log"): self._read_log,
            ("DELETE", "log"): self._clear_log,
            ("GET", "faults"): lambda _: json_response(200, self._faults.list()),
            ("POST", "faults"): self._add_fault,
            ("DELETE", "faults"): self._remove_fault,
            ("PATCH", "settings"): self._settings,
            ("GET", "world"): self._describe,
            ("POST", "reset"): self._reset,
        }

    def route(self, method: str, name: str, handler: Handler) -> None:
        """Let *handler* handle *method* `/_emulator/`*name*."""
        self._routes[method, name] = handler

    def handle(self, request: Request) -> Response:
        """Handle one request."""
        name = request.path.removeprefix(PREFIX).partition("/")[0]
        handler = self._routes.get((request.method, name))
        if handler is None:
            return json_response(404, {"error": {"message": f"there is no {request.method} {request.path}"}})
        try:
            return handler(request)
        except BadRequest as error:
            return json_response(400, {"error": {"message": str(error)}})

    def _read_log(self, request: Request) -> Response:
        since = request.param("since") or "0"
        if not since.isdigit():
            raise BadRequest("since must be the id of an entry")
        return json_response(200, self._log.entries(int(since)))

    def _clear_log(self, _: Request) -> Response:
        self._log.clear()
        return Response(204)

    def _add_fault(self, request: Request) -> Response:
        return json_response(201, {"id": self._faults.add(request.json())})

    def _remove_fault(self, request: Request) -> Response:
        identifier = request.path.removeprefix(PREFIX).partition("/")[2] or None
        return Response(204 if self._faults.remove(identifier) else 404)

    def _settings(self, request: Request) -> Response:
        apply_settings(self._world, request.json())
        return self._describe(request)

    def _describe(self, _: Request) -> Response:
        value: dict[str, Any] = describe(self._world)
        return json_response(200, value)

    def _reset(self, _: Request) -> Response:
        """Restore the settings, remove all faults and clear the log. The registries' content stays."""
        self._start.restore()
        self._faults.remove()
        self._log.clear()
        return Response(204)
