"""Send requests to a registry and keep their responses, with placeholders, in the order of the requests."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Mapping
from urllib.parse import urljoin

from devtools import steps
from devtools.live import sign_in
from devtools.live.https import Https, NoResponse, Response
from devtools.live.leftovers import Leftovers
from devtools.live.records import Record, request_record, response_record
from devtools.live.redaction import Redactor

THROTTLED, THROTTLED_MOST = "first throttled response", 10
"""The record of the first 429, and the number of attempts of one request."""


class Unanswered(Exception):
    """A question that stays open for this registry, or this identity."""


class Recorder:
    """Asks a registry and keeps the records. *run* names the repositories that the requests may write to; *quick*
    leaves out large chunks and long lists."""

    def __init__(self, https: Https, login: sign_in.Login, run: Leftovers, *, quick: bool = False) -> None:
        self.https, self.login, self.run, self.quick = https, login, run, quick
        self.server = self.service = run.server
        self.records: list[Record] = []
        self.redactor = Redactor()
        self._tokens: sign_in.Tokens | None = None
        self._hide_names()

    def ask(
        self, probe: str, method: str, target: str, scope: str = "", headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:  # fmt: skip
        """Send a request and keep its response as the record *probe*. *target* is a URL or a path of the registry,
        *scope* that of the token, if the request has one. Raise `Unanswered` without a response."""
        record: Record = {
            "probe": probe,
            "request": request_record(self.redactor, method, self.url(target), headers or {}, body),
        }
        self.records.append(record)
        try:
            response = self.send(method, target, scope, headers, body)
        except NoResponse as error:
            record["response"] = {"lost": str(error)}
            raise Unanswered(f"{probe}: no response") from error
        record["response"] = response_record(self.redactor, response)
        return response

    def do(
        self, method: str, target: str, scope: str = "", headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send a request that must succeed and is not recorded; raise `Unanswered` otherwise."""
        try:
            response = self.send(method, target, scope, headers, body)
        except NoResponse as error:
            raise Unanswered(f"{method} {self.redactor.text(target)}: no response") from error
        if response.status >= 300:
            raise Unanswered(f"{method} {self.redactor.text(target)}: status {response.status}")
        return response

    def say(self, probe: str, **finding: object) -> None:
        """Record a finding that is not in one response."""
        self.records.append({"probe": probe, "finding": finding})

    def group(self, probes: Group) -> None:
        """Run *probes*. If one of them fails, record the reason and leave out the rest of them."""
        try:
            probes(self)
        except (Unanswered, NoResponse, steps.Failed) as error:
            name = probes.__name__.replace("_", " ")
            self.records.append({"probe": f"the rest of {name}", "unanswered": self.redactor.text(str(error))})

    def url(self, target: str) -> str:
        """Return the URL of a path of the registry; a URL stays."""
        return urljoin(f"https://{self.server}/", target)

    def authorization(self, scope: str) -> dict[str, str]:
        """Return the header of a request that needs *scope*."""
        if self._tokens is None:
            entra = self.entra_token(sign_in.REGISTRY_AUDIENCE)
            response = sign_in.exchange(self.https, self.server, self.service, entra)
            if response.status != 200:
                raise steps.Failed(f"The registry refused the login: {response.status} {response.body.decode()}")
            refresh = json.loads(response.body)["refresh_token"]
            self.redactor.hide(refresh, "TOKEN")
            self._tokens = sign_in.Tokens(self.https, self.server, self.service, refresh)
        header = self._tokens.authorization(scope)
        self.redactor.hide(header["Authorization"].partition(" ")[2], "TOKEN")
        return header

    def entra_token(self, audience: str) -> str:
        """Return an Entra token, which no record shows."""
        token = self.login.token(audience)
        self.redactor.hide(token, "TOKEN")
        return token

    def send(
        self, method: str, target: str, scope: str, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> Response:
        """Send a request; after 429, wait as long as the registry says and send it again. The first 429 is recorded."""
        given = {**(self.authorization(scope) if scope else {}), **(headers or {})}
        for _ in range(THROTTLED_MOST):
            response = self.https.send(method, self.url(target), given, body)
            if response.status != 429:
                break
            if THROTTLED not in (record["probe"] for record in self.records):
                self.records.append({"probe": THROTTLED, "response": response_record(self.redactor, response)})
            time.sleep(float(response.header("Retry-After") or 1))
        return response

    def _hide_names(self) -> None:
        label = self.server.partition(".")[0]
        account = self.login.account
        hidden = {
            label: "REGISTRY",
            label.rpartition("-")[0]: "REGISTRY",
            self.run.name: "RUN",
            account["id"]: "SUBSCRIPTION",
            account["tenantId"]: "TENANT",
            account["user"]["name"]: "ACCOUNT",
            str(account.get("tenantDefaultDomain") or ""): "TENANT",
        }
        for value, placeholder in hidden.items():
            self.redactor.hide(value, placeholder)
        self.redactor.hide(account["name"], "SUBSCRIPTION", common=True)
        self.redactor.hide(str(account.get("tenantDisplayName") or ""), "TENANT", common=True)


Group = Callable[[Recorder], None]
"""A function with the requests of related probes."""


def service_in(challenge: str) -> str:
    """Return the `service` that the header WWW-Authenticate names, or an empty string."""
    found = re.search(r'service="([^"]*)"', challenge)
    return found[1] if found else ""
