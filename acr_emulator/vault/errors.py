"""Key Vault's errors.

https://learn.microsoft.com/azure/key-vault/general/rest-error-codes,
https://learn.microsoft.com/azure/key-vault/general/common-error-codes
"""

from __future__ import annotations

from collections.abc import Sequence

from acr_emulator.messages import Response, json_response


class VaultError(Exception):
    """An error response: HTTP *status* and `{"error": {code, message, innererror: {code}}}`."""

    def __init__(
        self, status: int, code: str, message: str, inner: str = "", headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.inner, self.headers = status, code, message, inner, headers

    def response(self) -> Response:
        """Return the response with this error."""
        inner = {"innererror": {"code": self.inner}} if self.inner else {}
        return json_response(
            self.status, {"error": {"code": self.code, "message": self.message, **inner}}, self.headers
        )


def unauthorized(message: str, tenant_id: str) -> VaultError:
    """Return 401 with the challenge that names the tenant's token endpoint and the audience."""
    challenge = (
        f'Bearer authorization="https://login.microsoftonline.com/{tenant_id}", resource="https://vault.azure.net"'
    )
    return VaultError(401, "Unauthorized", message, headers=[("WWW-Authenticate", challenge)])


def forbidden(caller: str, action: str, resource: str, vault: str) -> VaultError:
    """Return 403 for a caller without a role that has *action*."""
    return VaultError(
        403,
        "Forbidden",
        "Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role "
        f"definitions were changed recently, please observe propagation time.\r\nCaller: {caller}\r\nAction: "
        f"'{action}'\r\nResource: '{resource}'\r\nAssignment: (not found)\r\nDenyAssignmentId: null\r\n"
        f"DecisionReason: null \r\nVault: {vault};location=westeurope\r\n",
        "ForbiddenByRbac",
    )


def firewall() -> VaultError:
    """Return 403 for an address that the vault's network rules do not allow."""
    message = "Client address is not authorized and caller is not a trusted service.\r\nClient address: 203.0.113.7"
    return VaultError(403, "Forbidden", message, "ForbiddenByFirewall")


def missing(kind: str, name: str) -> VaultError:
    """Return 404 for an object of *kind* (`Certificate`, `Key`, `Secret`)."""
    message = f"A {kind.lower()} with (name/id) {name} was not found in this key vault."
    return VaultError(404, f"{kind}NotFound", message)


def disabled(kind: str) -> VaultError:
    """Return 403 for a disabled version of an object."""
    message = f"Operation is not allowed on a disabled {kind.lower()}."
    return VaultError(403, "Forbidden", message, f"{kind}Disabled")


def bad_parameter(message: str) -> VaultError:
    """Return 400 for a wrong parameter."""
    return VaultError(400, "BadParameter", message)


def throttled() -> VaultError:
    """Return 429. No document promises a Retry-After, so there is none:
    https://learn.microsoft.com/azure/key-vault/general/overview-throttling"""
    message = "Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached"
    return VaultError(429, "Throttled", message)
