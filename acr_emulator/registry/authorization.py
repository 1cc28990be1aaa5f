"""Checks of a data-plane request: firewall, credentials, permissions."""

from __future__ import annotations

from acr_emulator.jwt import TokenError
from acr_emulator.registry.access import Caller, IdentityCaller
from acr_emulator.registry.call import Call
from acr_emulator.registry.challenge import Need, unauthorized
from acr_emulator.registry.credentials import identify, parse_basic
from acr_emulator.registry.errors import denied
from acr_emulator.registry.roles import is_abac
from acr_emulator.registry.router import PULL, READ_METADATA, UNTAG

_LOOPBACK = "127.0.0.1"


def check_firewall(call: Call) -> None:
    """Raise DENIED if the firewall refuses the client, on any path."""
    address = call.registry.blocked_client_ip
    if address is not None or not call.registry.public_network_access:
        raise denied(address or _LOOPBACK)


def authorize(call: Call, need: Need | None) -> None:
    """Set the caller of *call*; raise 401 with a challenge for *need* if the caller is unknown or not permitted."""
    caller = _caller(call)
    if caller is None or "expire_token" in call.request.faults:
        raise unauthorized(call.registry, need, call.name)
    call.caller = caller
    if need is None:
        return
    need = _adjusted(call, caller, need)
    if not all(caller.permits(need.kind, call.name, action) for action in need.actions):
        raise unauthorized(call.registry, need, call.name, insufficient=True)


def _caller(call: Call) -> Caller | None:
    header = call.request.headers.get("Authorization") or ""
    scheme, _, token = header.partition(" ")
    if scheme.lower() == "bearer":
        try:
            return call.issuer.caller(call.registry, token.strip())
        except TokenError:
            return None
    basic = parse_basic(header)
    identity = identify(call.world, call.issuer, call.registry, *basic) if basic else None
    return IdentityCaller(identity) if identity else None


def _adjusted(call: Call, caller: Caller, need: Need) -> Need:
    if need is READ_METADATA and caller.anonymous:
        return PULL  # an anonymous pull token can read metadata too (recorded)
    if need is UNTAG and is_abac(call.registry) and caller.permits("repository", call.name, "metadata_write"):
        # A repository writer may untag; only a contributor may delete a manifest.
        return Need(("metadata_write",))
    return need
