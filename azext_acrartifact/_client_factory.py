"""From Azure CLI's context to an open registry: its login server, the sign-in, the connections."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from .auth.credentials import Credential
from .auth.distribution import ChallengeAuthorizer
from .auth.endpoint import TokenEndpoint
from .auth.tokens import TokenAuthorizer
from .cli.arguments import LoginArgument
from .cli.context import CommandContext, suffix_of
from .cli.identity.auth_mode import credential_for, local_login
from .cli.identity.login_server import LoginServer, login_server_of
from .cli.naming import NamedReference
from .errors import InvalidReferenceError, SignInError
from .oci.reference import is_loopback
from .oci.registry import Registry
from .transfer.progress import Progress
from .transport.client import HttpClient
from .transport.network import Network
from .transport.rate_cap import RateCap
from .transport.redaction import protect_logs
from .transport.retry import Waiter
from .transport.scheme import base_url_of

if TYPE_CHECKING:
    from .signing.key_vault import KeyVault

# https://learn.microsoft.com/azure/container-registry/container-registry-dedicated-data-endpoints
_DATA_ENDPOINT = re.compile(r"\.[a-z0-9]+\.data\.azurecr\.")


@dataclass(frozen=True)
class SignedIn:
    """A user name and password that the registry at *server* accepted; *identity* describes the user."""

    server: str
    identity: str
    username: str
    password: str = field(repr=False)


def http_client(cmd: CommandContext, progress: Progress) -> HttpClient:
    """Return the connections of one command; *progress* shows why they wait."""
    protect_logs()
    waiter = Waiter(progress.note)
    return HttpClient(_network(cmd, waiter), waiter)


def find_server(cmd: CommandContext, named: NamedReference, http: HttpClient) -> LoginServer:
    """Return the login server of *named*: as it was typed, or else as `login_server_of` finds it."""
    server = named.reference.server
    if _DATA_ENDPOINT.search(server):
        raise InvalidReferenceError(
            "This is a data endpoint, which serves blobs only",
            where=server,
            hint=f"Give the login server: {_DATA_ENDPOINT.sub('.azurecr.', server)}",
        )
    if named.guessed_from is None:
        return LoginServer(server)
    return login_server_of(cmd, named.guessed_from, server, lambda host: http.connect(base_url_of(host, False)))


def open_registry(cmd: CommandContext, server: LoginServer, login: LoginArgument, http: HttpClient) -> Registry:
    """Return the registry at *server*. Makes no request."""
    host = server.host
    base_url = base_url_of(host, is_loopback(host))
    if is_loopback(host):
        return Registry(
            host, base_url, http, ChallengeAuthorizer(base_url, http, local_login(cmd, host, login, http.waiter.notice))
        )
    endpoint = TokenEndpoint(host, base_url, http)
    credential = credential_for(cmd, server, login, http.waiter.notice)
    return Registry(host, base_url, http, TokenAuthorizer(endpoint, credential))


def open_token_endpoint(
    cmd: CommandContext, named: NamedReference, login: LoginArgument, *, to_store: bool = False
) -> tuple[TokenEndpoint, Credential]:
    """Return the token endpoint of a registry in Azure and the identity to use there; *to_store* as in
    `credential_for`."""
    if is_loopback(named.reference.server):
        raise SignInError(
            "Only registries in Azure say what they allow",
            where=named.reference.server,
            hint="Give the name of one: --name REGISTRY",
        )
    http = http_client(cmd, Progress())
    server = find_server(cmd, named, http)
    endpoint = TokenEndpoint(server.host, base_url_of(server.host, False), http)
    return endpoint, credential_for(cmd, server, login, http.waiter.notice, to_store=to_store)


def sign_in(cmd: CommandContext, named: NamedReference, login: LoginArgument) -> SignedIn:
    """Sign in to the registry of *named*; raises `SignInError` when it refuses."""
    server = named.reference.server
    if not is_loopback(server):
        endpoint, credential = open_token_endpoint(cmd, named, login, to_store=True)
        username, password = credential.login(endpoint)
        return SignedIn(endpoint.server, credential.name, username, password)
    pair = local_login(cmd, server, login, Progress().note)
    if pair is None:
        raise SignInError("There is no sign-in to store", where=server, hint="Give --username and --password-stdin.")
    ChallengeAuthorizer(base_url_of(server, True), http_client(cmd, Progress()), pair).check()
    return SignedIn(server, f"user '{pair[0]}'", *pair)


def open_vault(cmd: CommandContext, key_id: str, http: HttpClient) -> KeyVault:
    """Return the Key Vault of the key *key_id*. It gets a token of the Azure CLI's login when it is first asked."""
    from .auth.token_wait import token_in_time
    from .cli.identity.account import entra_token
    from .signing.key_vault import KeyVault, parse_key_id

    suffix = suffix_of(cmd.cli_ctx, "keyvault_dns") or ".vault.azure.net"
    audience = f"https://{suffix.lstrip('.')}"
    key = parse_key_id(key_id, suffix)
    return KeyVault(key, http, lambda: token_in_time(lambda: entra_token(cmd, audience), cmd.stall_timeout).value)


def _network(cmd: CommandContext, waiter: Waiter) -> Network:
    cap = RateCap(cmd.cap_mbps, waiter.cancelled) if cmd.cap_mbps else None
    return Network(cmd.user_agent, cmd.verifies_certificates, cmd.request_headers, cmd.stall_timeout, cap)
