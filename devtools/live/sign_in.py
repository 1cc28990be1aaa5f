"""The login of the Azure CLI, and tokens of a registry by plain requests.

https://github.com/Azure/acr/blob/main/docs/AAD-OAuth.md describes the exchange.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from devtools import steps
from devtools.live.https import Https, Response

REGISTRY_AUDIENCE = "https://containerregistry.azure.net"
MANAGEMENT_AUDIENCE = "https://management.azure.com"
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
LIMIT = 120
"""Seconds that one `az` command may take."""


class Login:
    """The identity that `az` of *environment* is signed in as."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self.account: dict[str, Any] = self._az("account", "show")

    def token(self, audience: str) -> str:
        """Return an Entra token for *audience*; raise `steps.Failed` with az's error."""
        return str(self._az("account", "get-access-token", "--resource", audience)["accessToken"])

    def _az(self, *arguments: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "azure.cli", *arguments, "--output", "json"],
            env=dict(self._environment), stdin=subprocess.DEVNULL, capture_output=True, encoding="utf-8", timeout=LIMIT,
        )  # fmt: skip
        if done.returncode:
            raise steps.Failed(f"`az {' '.join(arguments)}` failed. Sign in with `az login` first.\n{done.stderr}")
        return json.loads(done.stdout)


class Tokens:
    """Access tokens of the registry *server*, by scope."""

    def __init__(self, https: Https, server: str, service: str, refresh_token: str) -> None:
        self._https, self._server, self._service = https, server, service
        self._refresh_token = refresh_token
        self._found: dict[str, str] = {}

    def authorization(self, scope: str) -> dict[str, str]:
        """Return the header of a request that needs *scope*."""
        if scope not in self._found:
            response = self.request(scope)
            if response.status != 200:
                raise steps.Failed(f"No token for {scope}: {response.status} {response.body.decode(errors='replace')}")
            self._found[scope] = json.loads(response.body)["access_token"]
        return {"Authorization": f"Bearer {self._found[scope]}"}

    def request(self, scope: str) -> Response:
        """Ask for a token for *scope*."""
        fields = {"grant_type": "refresh_token", "service": self._service, "refresh_token": self._refresh_token}
        body = urlencode([*fields.items(), *(("scope", one) for one in scope.split(" "))]).encode()
        return self._https.send("POST", f"https://{self._server}/oauth2/token", FORM, body)


def exchange(https: Https, server: str, service: str, entra_token: str) -> Response:
    """Exchange *entra_token* for a refresh token of the registry."""
    fields = {"grant_type": "access_token", "service": service, "access_token": entra_token}
    return https.send("POST", f"https://{server}/oauth2/exchange", FORM, urlencode(fields).encode())
