"""Entra's metadata documents: instance discovery, OpenID Connect metadata (as in RFC 8414), user realms."""

from __future__ import annotations

from typing import Any

from acr_emulator.world import World

HOSTS = ("login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net")


def instance_discovery() -> dict[str, Any]:
    """Return the host names that belong to this cloud."""
    host = HOSTS[0]
    return {
        "tenant_discovery_endpoint": f"https://{host}/common/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": host, "preferred_cache": "login.windows.net", "aliases": list(HOSTS)}],
    }


def openid_configuration(host: str, tenant: str, *, v2: bool) -> dict[str, Any]:
    """Return the endpoints of a tenant, as the v2.0 or the v1.0 document."""
    root = f"https://{host}/{tenant}"
    flow = f"{root}/oauth2/v2.0" if v2 else f"{root}/oauth2"
    return {
        "token_endpoint": f"{flow}/token",
        "authorization_endpoint": f"{flow}/authorize",
        "device_authorization_endpoint": f"{flow}/devicecode",
        "end_session_endpoint": f"{flow}/logout",
        "jwks_uri": f"{root}/discovery/v2.0/keys" if v2 else f"{root}/discovery/keys",
        "issuer": f"{root}/v2.0" if v2 else f"https://sts.windows.net/{tenant}/",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "cloud_graph_host_name": "graph.windows.net",
        "msgraph_host": "graph.microsoft.com",
    }


def user_realm(world: World, username: str) -> dict[str, Any]:
    """Return whether a user signs in with Entra itself (`Managed`) or is unknown."""
    domain = username.partition("@")[2].lower()
    known = any(tenant.domain == domain for tenant in world.tenants)
    return {
        "ver": "1.0",
        "account_type": "Managed" if known else "Unknown",
        "domain_name": domain,
        "cloud_instance_name": "microsoftonline.com",
        "cloud_audience_urn": "urn:federation:MicrosoftOnline",
    }
