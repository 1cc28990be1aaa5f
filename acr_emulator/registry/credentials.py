"""Identities by user name and password: the admin user, a service principal, a repository token or, with the null
GUID as the name, the owner of a refresh token.

https://learn.microsoft.com/azure/container-registry/container-registry-authentication
"""

from __future__ import annotations

import base64
import binascii

from acr_emulator.jwt import TokenError
from acr_emulator.registry.roles import Admin, EntraIdentity, Identity, MapTokenIdentity
from acr_emulator.registry.tokens import TokenIssuer
from acr_emulator.world import Registry, World

NULL_USER = "00000000-0000-0000-0000-000000000000"


def identify(world: World, issuer: TokenIssuer, registry: Registry, user: str, password: str) -> Identity | None:
    """Return the identity with these credentials, or None."""
    if user == NULL_USER:
        return _refresh_token_owner(issuer, registry, password)
    if user == registry.name:
        return Admin(user) if registry.admin_user_enabled and password in registry.admin_passwords else None
    for token in registry.tokens:
        if token.name == user:
            return MapTokenIdentity(token) if token.enabled and password in token.passwords else None
    return _service_principal(world, registry, user, password)


def parse_basic(header: str) -> tuple[str, str] | None:
    """Return user name and password of an `Authorization: Basic` header (RFC 7617), or None."""
    scheme, _, encoded = header.partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, colon, password = base64.b64decode(encoded.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def _refresh_token_owner(issuer: TokenIssuer, registry: Registry, token: str) -> Identity | None:
    try:
        return issuer.refresh_identity(registry, token)
    except TokenError:
        return None


def _service_principal(world: World, registry: Registry, user: str, password: str) -> Identity | None:
    principal = next((p for p in world.principals if p.client_id == user and p.kind == "servicePrincipal"), None)
    if principal is None or not principal.enabled or principal.tenant_id != registry.tenant_id:
        return None
    return EntraIdentity(principal, registry) if password in principal.secrets else None
