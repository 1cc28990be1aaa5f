"""From Azure CLI's context to an open registry: its address, its sign-in, its connections."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from knack.log import get_logger

from ._version import VERSION
from .auth.credentials import Credential
from .auth.distribution import ChallengeAuthorizer
from .auth.endpoint import TokenEndpoint
from .auth.tokens import TokenAuthorizer
from .cli.arguments import ArtifactArgument, LoginArgument, RegistryArgument
from .cli.identity import arm as _arm
from .cli.identity.auth_mode import credential_for, local_pair
from .cli.identity.azure_login import cloud_suffix
from .errors import ConnectionFailedError, InvalidInputError, InvalidReferenceError, SignInError, TlsError
from .oci.reference import Reference, check_server, is_loopback, is_registry_name, parse_image, parse_reference
from .oci.registry import Registry
from .transfer.progress import Progress
from .transport.authorization import Authorizer
from .transport.client import HttpClient
from .transport.network import STALL_TIMEOUT, Network
from .transport.redaction import protect_logs
from .transport.retry import Waiter
from .transport.scheme import base_url_of

_logger = get_logger(__name__)
# https://learn.microsoft.com/azure/container-registry/container-registry-dedicated-data-endpoints
_DATA_ENDPOINT = re.compile(r"\.[a-z0-9]+\.data\.azurecr\.")
LONGEST_STALL = 3600
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Named:
    """An artifact as the user named it. *guessed_from* is the bare registry name that its server was made of."""

    reference: Reference
    guessed_from: str | None = None


@dataclass(frozen=True)
class SignedIn:
    """A user name and password that the registry at *server* took. *identity* says who that is."""

    server: str
    identity: str
    username: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class Endpoint:
    """A *registry* that was opened with *login*, and what is meant there."""

    registry: Registry
    reference: Reference
    login: LoginArgument


def name_artifact(cmd: Any, artifact: ArtifactArgument) -> Named:
    """The artifact that the arguments mean. Asks nobody: a login server is taken as it is, a bare name gets the
    cloud's suffix. Raises `InvalidReferenceError`."""
    reference, registry = artifact.reference, artifact.registry
    if reference and not (registry and _lacks_server(reference)):
        return Named(parse_reference(reference))
    server, guessed = _server(cmd, registry or "", artifact.suffix)
    first, slash, image = (artifact.image or "").partition("/")
    if slash and first.lower() == server:
        raise InvalidReferenceError(
            "The registry is named twice", where=artifact.image or "", hint=f"Write {image} without its server."
        )
    return Named(parse_image(artifact.image or reference or "", server), registry if guessed else None)


def name_place(cmd: Any, artifact: ArtifactArgument) -> Named:
    """The registry or repository that the arguments mean; a registry alone has an empty repository. Raises
    `InvalidReferenceError`."""
    reference = (artifact.reference or "").rstrip("/")
    if reference and "/" not in reference:
        artifact = replace(artifact, reference=None, registry=reference)
    elif reference or artifact.image:
        return name_artifact(cmd, artifact)
    server, guessed = _server(cmd, artifact.registry or "", artifact.suffix)
    return Named(Reference(server, ""), artifact.registry if guessed else None)


def with_registry(
    cmd: Any, named: Named, login: LoginArgument, progress: Progress, action: Callable[[Registry, Reference], _Result]
) -> _Result:
    """Run *action* on the registry of *named*. ARM is asked for the login server only when a bare name's guess
    cannot be reached: with a domain name label the server is `name-hash.azurecr.io`."""

    def at(server: str) -> _Result:
        return action(_open(cmd, server, login, _http(cmd, progress)), replace(named.reference, server=server))

    return _at_server(cmd, named.reference.server, named.guessed_from, at)


def with_registries(
    cmd: Any,
    source: tuple[Named, LoginArgument],
    target: tuple[Named, LoginArgument | None],
    progress: Progress,
    action: Callable[[Endpoint, Endpoint], _Result],
) -> _Result:
    """Run *action* on two registries, over one set of connections. A target without a sign-in has that of the source if
    it is the same registry, which then is opened once; a password is for one registry, so that elsewhere it is the
    usual one."""
    http = _http(cmd, progress)
    (from_named, from_login), (to_named, to_login) = source, target

    def at_source(from_server: str) -> _Result:
        opened = _open(cmd, from_server, from_login, http)
        origin = Endpoint(opened, replace(from_named.reference, server=from_server), from_login)

        def at_target(server: str) -> _Result:
            is_one = server == from_server and to_login in (None, from_login)
            login = from_login if is_one else to_login or LoginArgument(None)
            registry = opened if is_one else _open(cmd, server, login, http)
            return action(origin, Endpoint(registry, replace(to_named.reference, server=server), login))

        return _at_server(cmd, to_named.reference.server, to_named.guessed_from, at_target)

    return _at_server(cmd, from_named.reference.server, from_named.guessed_from, at_source)


def server_of(cmd: Any, registry: RegistryArgument) -> str:
    """The login server that *registry* means, as `name_artifact` takes it."""
    return _server(cmd, registry.name, registry.suffix)[0]


def repository_of(text: str) -> str:
    """*text* if it is a repository's name; raises `InvalidReferenceError`."""
    reference = parse_image(text, "registry.azurecr.io")
    if reference.version is not None:
        raise InvalidReferenceError("Not a repository", where=text, hint="Leave out its tag and digest.")
    return reference.repository


def with_endpoint(
    cmd: Any,
    registry: RegistryArgument,
    login: LoginArgument,
    action: Callable[[TokenEndpoint, Credential], _Result],
    *,
    to_keep: bool = False,
) -> tuple[str, str, _Result]:
    """Run *action* on the token endpoint of a registry in Azure; its login server, who signed in, and the result.
    *to_keep* is said of a sign-in as in `credential_for`."""
    server, guessed = _server(cmd, registry.name, registry.suffix)

    def at(server: str) -> tuple[str, str, _Result]:
        if is_loopback(server):
            raise SignInError(
                "Only registries in Azure say what they allow",
                where=server,
                hint="Give the name of one: --name REGISTRY",
            )
        credential = credential_for(cmd, server, login, to_keep=to_keep)
        result = action(TokenEndpoint(server, base_url_of(server, False), _http(cmd, Progress())), credential)
        return server, credential.name, result

    return _at_server(cmd, server, registry.name if guessed else None, at)


def sign_in(cmd: Any, registry: RegistryArgument, login: LoginArgument) -> SignedIn:
    """Have the registry take the sign-in. Raises `SignInError` when it does not."""
    server = server_of(cmd, registry)
    if is_loopback(server):
        pair = local_pair(cmd, server, login)
        if pair is None:
            raise SignInError("There is no sign-in to keep", where=server, hint="Give --username and --password-stdin.")
        username, password = pair
        ChallengeAuthorizer(base_url_of(server, True), _http(cmd, Progress()), pair).check()
        return SignedIn(server, f"user '{username}'", username, password)
    server, identity, taken = with_endpoint(
        cmd, registry, login, lambda endpoint, credential: credential.login(endpoint), to_keep=True
    )
    return SignedIn(server, identity, *taken)


def _at_server(cmd: Any, server: str, guessed_from: str | None, action: Callable[[str], _Result]) -> _Result:
    if _DATA_ENDPOINT.search(server):
        raise InvalidReferenceError(
            "This is a data endpoint, which only gives blobs",
            where=server,
            hint=f"Give the login server: {_DATA_ENDPOINT.sub('.azurecr.', server)}",
        )
    try:
        return action(server)
    except ConnectionFailedError as error:
        found = None
        if guessed_from and not isinstance(error, TlsError):
            found = _arm.login_server_of(cmd, guessed_from)
        if found is None or found == server:
            raise
    _logger.info("The login server of %s is %s.", guessed_from, found)
    return action(found)


def _lacks_server(reference: str) -> bool:
    first, slash, _ = reference.partition("/")
    return not slash or not ("." in first or ":" in first or first == "localhost")


def _server(cmd: Any, registry: str, suffix: str | None) -> tuple[str, bool]:
    if "." in registry or ":" in registry:
        return check_server(registry.lower() if ":" not in registry else registry), False
    if not is_registry_name(registry):
        raise InvalidReferenceError(
            "Not a registry",
            where=registry,
            why="a name is 5 to 50 letters and digits",
            hint="Give its name (myregistry) or its login server (myregistry.azurecr.io).",
        )
    label = f"{registry}-{suffix}" if suffix else registry
    return check_server(label.lower() + _suffix_of(cmd)), True


def _suffix_of(cmd: Any) -> str:
    suffix = cloud_suffix(cmd)
    if suffix is None:
        raise InvalidReferenceError(
            "The cloud has no suffix for registries",
            where=cmd.cli_ctx.cloud.name,
            hint="Give the registry's login server instead of its name.",
        )
    return suffix


def _http(cmd: Any, progress: Progress) -> HttpClient:
    protect_logs()
    return HttpClient(_network(cmd), Waiter(progress.note))


def _open(cmd: Any, server: str, login: LoginArgument, http: HttpClient) -> Registry:
    base_url = base_url_of(server, is_loopback(server))
    return Registry(server, base_url, http, _authorizer(cmd, server, base_url, http, login))


def _network(cmd: Any) -> Network:
    from azure.cli.core.util import get_az_user_agent, should_disable_connection_verify

    sent = cmd.cli_ctx.data.get("headers") or {}
    headers = {"X-Meta-Source-Client": "azure/cli/acrartifact"}
    if request_id := sent.get("x-ms-client-request-id"):
        headers["x-ms-client-request-id"] = str(request_id)
    agent = f"{get_az_user_agent()} acrartifact/{VERSION}"
    return Network(agent, not should_disable_connection_verify(), headers, stall_timeout(cmd))


def stall_timeout(cmd: Any) -> float:
    """Return `Network.stall_timeout`, which the user sets by `az config set acrartifact.stall_timeout=SECONDS`."""
    text = str(cmd.cli_ctx.config.get("acrartifact", "stall_timeout", fallback=f"{STALL_TIMEOUT:.0f}"))
    if not (text.isascii() and text.isdigit() and len(text) < 5 and 1 <= int(text) <= LONGEST_STALL):
        raise InvalidInputError(
            "Not a number of seconds",
            where=f"acrartifact.stall_timeout={text}",
            hint=f"Set 1 to {LONGEST_STALL}: az config set acrartifact.stall_timeout={STALL_TIMEOUT:.0f}",
        )
    return float(text)


def _authorizer(cmd: Any, server: str, base_url: str, http: HttpClient, login: LoginArgument) -> Authorizer:
    if is_loopback(server):
        return ChallengeAuthorizer(base_url, http, local_pair(cmd, server, login))
    return TokenAuthorizer(TokenEndpoint(server, base_url, http), credential_for(cmd, server, login))
