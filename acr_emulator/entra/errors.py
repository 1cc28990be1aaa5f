"""The token endpoint's errors (learn.microsoft.com/entra/identity-platform/reference-error-codes)."""

from __future__ import annotations

import time
import uuid

from acr_emulator.messages import Response, json_response


class EntraError(Exception):
    """An AADSTS error: *code* is its number, *error* the OAuth 2.0 error (RFC 6749 §5.2), *status* HTTP's."""

    def __init__(self, code: int, error: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.error = error
        self.message = message
        self.status = status

    def response(self, correlation_id: str | None) -> Response:
        """Return the JSON that the Azure CLI shows to users; its description repeats the ids and the time."""
        trace = str(uuid.uuid4())
        correlation = correlation_id or str(uuid.uuid4())
        now = time.strftime("%Y-%m-%d %H:%M:%SZ", time.gmtime())
        return json_response(
            self.status,
            {
                "error": self.error,
                "error_description": f"AADSTS{self.code}: {self.message} "
                f"Trace ID: {trace} Correlation ID: {correlation} Timestamp: {now}",
                "error_codes": [self.code],
                "timestamp": now,
                "trace_id": trace,
                "correlation_id": correlation,
                "error_uri": f"https://login.microsoftonline.com/error?code={self.code}",
            },
        )


def unknown_tenant(tenant: str, error: str = "invalid_request") -> EntraError:
    """Return the error for an authority without a tenant."""
    return EntraError(
        90002, error,
        f"Tenant '{tenant}' not found. Check to make sure you have the correct tenant ID and are signing into the "
        "correct cloud. Check with your subscription administrator, this may happen if there are no active "
        "subscriptions for the tenant.",
    )  # fmt: skip


def unknown_application(client_id: str, tenant: str) -> EntraError:
    """Return the error for a client id that is no application of this tenant."""
    return EntraError(
        700016, "unauthorized_client",
        f"Application with identifier '{client_id}' was not found in the directory '{tenant}'. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You may have sent your authentication request to the wrong tenant.",
    )  # fmt: skip


def disabled_application(client_id: str) -> EntraError:
    """Return the error for a disabled application."""
    return EntraError(7000112, "unauthorized_client", f"Application '{client_id}' is disabled.", 401)


def wrong_secret(client_id: str) -> EntraError:
    """Return the error for a client secret that is not the application's."""
    return EntraError(
        7000215, "invalid_client",
        "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not "
        f"the client secret ID, for a secret added to app '{client_id}'.", 401,
    )  # fmt: skip


def unknown_resource(resource: str, tenant: str) -> EntraError:
    """Return the error for a scope or resource that no tokens are issued for."""
    return EntraError(
        500011, "invalid_resource",
        f"The resource principal named {resource} was not found in the tenant named {tenant}. This can happen if the "
        "application has not been installed by the administrator of the tenant or consented to by any user in the "
        "tenant. You might have sent your authentication request to the wrong tenant.",
    )  # fmt: skip


def expired_assertion(starts: float, ends: float) -> EntraError:
    """Return the error for a client assertion (or a pipeline's federated token) outside its validity."""
    stamp = "%Y-%m-%dT%H:%M:%S.0000000Z"
    return EntraError(
        700024, "invalid_client",
        "Client assertion is not within its valid time range. Current time: "
        f"{time.strftime(stamp, time.gmtime())}, assertion valid from {time.strftime(stamp, time.gmtime(starts))}, "
        f"expiry time of assertion {time.strftime(stamp, time.gmtime(ends))}. Review the documentation at "
        "https://learn.microsoft.com/entra/identity-platform/certificate-credentials .", 401,
    )  # fmt: skip
