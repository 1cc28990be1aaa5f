"""Client assertions: a certificate's (RFC 7523 §3), or a federated token of another issuer.

learn.microsoft.com/entra/identity-platform/certificate-credentials and
learn.microsoft.com/entra/workload-id/workload-identity-federation. The emulator knows certificates by thumbprint
only, so it checks an assertion's claims and the certificate that it names, not the certificate's signature.
"""

from __future__ import annotations

from typing import Any

from acr_emulator import jwt
from acr_emulator.entra.errors import EntraError, expired_assertion
from acr_emulator.jwt import Signer, TokenError
from acr_emulator.world import Principal

FEDERATION_AUDIENCE = "api://AzureADTokenExchange"


def check_assertion(signer: Signer, principal: Principal, assertion: str, endpoints: tuple[str, ...]) -> None:
    """Raise `EntraError` unless *assertion* proves *principal*; one by certificate needs an audience of *endpoints*."""
    try:
        claims = jwt.peek(assertion)
        jwt.check_times(claims)
    except TokenError as error:
        raise _time_or_form(error, assertion) from error
    if claims.get("iss") == principal.client_id:
        _check_certificate(principal, claims, jwt.header(assertion), endpoints)
    else:
        _check_federated(signer, principal, claims, assertion)


def _time_or_form(error: TokenError, assertion: str) -> EntraError:
    if error.reason in ("expired", "not_yet_valid"):
        claims = jwt.peek(assertion)
        return expired_assertion(claims.get("nbf", claims.get("iat", 0)), claims["exp"])
    return EntraError(50027, "invalid_request", f"JWT token is invalid or malformed: {error}.")


def _check_certificate(
    principal: Principal, claims: dict[str, Any], header: dict[str, Any], endpoints: tuple[str, ...]
) -> None:
    if claims.get("sub") != principal.client_id:
        message = "Client assertion application identifier doesn't match 'client_id' parameter."
        raise EntraError(700021, "invalid_client", message, 401)
    if claims.get("aud") not in endpoints:
        message = f"Assertion audience claim does not match the required value. The audience must be {endpoints[0]}."
        raise EntraError(7000214, "invalid_client", message, 401)
    known = {thumbprint.replace(":", "").lower() for thumbprint in principal.certificate_thumbprints}
    named = {_hex(header.get("x5t")), _hex(header.get("x5t#S256"))} - {""}
    if not named & known:
        message = "The certificate with identifier used to sign the client assertion is not registered on application."
        raise EntraError(700027, "invalid_client", message, 401)


def _check_federated(signer: Signer, principal: Principal, claims: dict[str, Any], assertion: str) -> None:
    subject = claims.get("sub")
    if claims.get("aud") != FEDERATION_AUDIENCE:
        message = f"No matching federated identity record found for presented assertion audience '{claims.get('aud')}'."
        raise EntraError(700212, "invalid_client", message, 401)
    if subject in principal.federated_subjects:
        return
    try:
        signer.verify(assertion)
        ours = not principal.federated_subjects
    except TokenError:
        ours = False
    if not ours:
        message = f"No matching federated identity record found for presented assertion subject '{subject}'."
        raise EntraError(700213, "invalid_client", message, 401)


def _hex(thumbprint: Any) -> str:
    try:
        return jwt.decode(thumbprint).hex() if isinstance(thumbprint, str) else ""
    except TokenError:
        return ""
