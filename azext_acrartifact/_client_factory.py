"""From Azure CLI's context to an open registry: its address, its sign-in, its connections."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from knack.log import get_logger

from ._arguments import ArtifactArgument, LoginArgument
from ._version import VERSION
from .auth.credentials import ACR_AUDIENCE, Credential, EntraCredential, EntraToken, PasswordCredential
from .auth.distribution import ChallengeAuthorizer
from .auth.endpoint import TokenEndpoint
from .auth.tokens import TokenAuthorizer
from .errors import ConnectionFailedError, InvalidReferenceError, SignInError, TlsError
from .oci.reference import Reference, check_server, is_loopback, is_registry_name, parse_image, parse_reference
from .oci.registry import Registry
from .transfer.progress import Progress
from .transport.authorization import Authorizer
from .transport.client import HttpClient
from .transport.network import Network
from .transport.redaction import protect_logs
from .transport.retry import Waiter
from .transport.scheme import base_url_of

_logger = get_logger(__name__)
_Result = TypeVar("_Result")


@dataclass(frozen=True)
class Named:
    """An artifact as the user named it. *guessed_from* is the bare registry name that its server was made of."""

    reference: Reference
    guessed_from: str | None = None


def name_artifact(cmd: Any, artifact: ArtifactArgument) -> Named:
    """The artifact that the arguments mean. Asks nobody: a login server is taken as it is, a bare name gets the
    cloud's suffix. Raises `InvalidReferenceError`."""
    reference, registry = artifact.reference, artifact.registry
    if reference and not (registry and _lacks_server(reference)):
        return Named(parse_reference(reference))
    server, guessed = _server(cmd, registry or "", artifact.suffix)
    return Named(parse_image(artifact.image or reference or "", server), registry if guessed else None)


def with_registry(
    cmd: Any, named: Named, login: LoginArgument, progress: Progress, action: Callable[[Registry, Reference], _Result]
) -> _Result:
    """Run *action* on the registry of *named*. ARM is asked for the login server only when a bare name's guess
    cannot be reached: with a domain name label the server is `name-hash.azurecr.io`."""
    try:
        return action(_open(cmd, named.reference.server, login, progress), named.reference)
    except ConnectionFailedError as error:
        server = None
        if named.guessed_from and not isinstance(error, TlsError):
            server = _login_server_by_arm(cmd, named.guessed_from)
        if server is None or server == named.reference.server:
            raise
    _logger.info("The login server of %s is %s.", named.guessed_from, server)
    return action(_open(cmd, server, login, progress), replace(named.reference, server=server))


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
    return check_server(label.lower() + _cloud_suffix(cmd)), True


def _cloud_suffix(cmd: Any) -> str:
    from azure.cli.core.cloud import CloudSuffixNotSetException

    try:
        return str(cmd.cli_ctx.cloud.suffixes.acr_login_server_endpoint)
    except CloudSuffixNotSetException as error:
        raise InvalidReferenceError(
            "The cloud has no suffix for registries",
            where=cmd.cli_ctx.cloud.name,
            hint="Give the registry's login server instead of its name.",
        ) from error


def _open(cmd: Any, server: str, login: LoginArgument, progress: Progress) -> Registry:
    protect_logs()
    http = HttpClient(_network(cmd), Waiter(progress.note))
    base_url = base_url_of(server, is_loopback(server))
    return Registry(server, base_url, http, _authorizer(cmd, server, base_url, http, login))


def _network(cmd: Any) -> Network:
    from azure.cli.core.util import get_az_user_agent, should_disable_connection_verify

    sent = cmd.cli_ctx.data.get("headers") or {}
    headers = {"X-Meta-Source-Client": "azure/cli/acrartifact"}
    if request_id := sent.get("x-ms-client-request-id"):
        headers["x-ms-client-request-id"] = str(request_id)
    agent = f"{get_az_user_agent()} acrartifact/{VERSION}"
    return Network(agent, verify=not should_disable_connection_verify(), headers=headers)


def _authorizer(cmd: Any, server: str, base_url: str, http: HttpClient, login: LoginArgument) -> Authorizer:
    if is_loopback(server):
        pair = (login.username, login.password or "") if login.username is not None else None
        return ChallengeAuthorizer(base_url, http, pair)
    credential: Credential
    if login.username is not None:
        credential = PasswordCredential(login.username, login.password or "")
    else:
        _require_azure(cmd, server)
        credential = EntraCredential(_EntraTokens(cmd), _audiences(cmd))
    return TokenAuthorizer(TokenEndpoint(server, base_url, http), credential)


def _require_azure(cmd: Any, server: str) -> None:
    """Azure CLI's login goes to registries of its cloud alone: any other host could use the token itself."""
    suffix = _cloud_suffix(cmd)
    if not server.endswith(suffix):
        raise SignInError(
            "The Azure CLI's login is not sent to this host",
            where=server,
            why=f"it is no registry of {cmd.cli_ctx.cloud.name} (*{suffix})",
            hint="Give --username and --password-stdin, or choose its cloud: az cloud set --name CLOUD",
        )


def _audiences(cmd: Any) -> list[str]:
    from azure.cli.core.util import in_cloud_console

    set_by_user = cmd.cli_ctx.config.get("acr", "audience_resource", fallback=None)
    arm = str(cmd.cli_ctx.cloud.endpoints.active_directory_resource_id)
    if set_by_user:
        own = set_by_user if set_by_user.startswith("https://") else f"https://{set_by_user}.azure.net"
        return [own, arm]
    # Cloud Shell has refused ACR's audience since it exists: https://github.com/Azure/CloudShell/issues/484
    return [arm, ACR_AUDIENCE] if in_cloud_console() else [ACR_AUDIENCE, arm]


class _EntraTokens:
    """Tokens by Azure CLI's login, whatever its form."""

    def __init__(self, cmd: Any) -> None:
        self._cmd = cmd

    def __call__(self, audience: str) -> EntraToken:
        """A token for *audience*; raises `SignInError` with what Azure CLI says about it."""
        from azure.cli.core._profile import Profile

        profile = Profile(cli_ctx=self._cmd.cli_ctx)
        subscription = self._cmd.cli_ctx.data.get("subscription_id")
        try:
            (_, token, _), _, tenant = profile.get_raw_token(resource=audience, subscription=subscription)
        except Exception as error:  # pylint: disable=broad-except  (msal raises whatever it meets)
            raise _no_token(error) from error
        return EntraToken(str(token), str(tenant))


def _no_token(error: Exception) -> SignInError:
    hint = " ".join(map(str, getattr(error, "recommendations", None) or []))
    return SignInError(
        "The Azure CLI gave no token",
        why=str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__,
        hint=hint if "az login" in hint else f"Run: az login. {hint}".rstrip(". "),
    )


def _login_server_by_arm(cmd: Any, name: str) -> str | None:
    """The login server of the registry called *name* in the subscription, if this identity may see it."""
    from azure.cli.core.commands.client_factory import get_mgmt_service_client
    from azure.cli.core.profiles import ResourceType

    try:
        client = get_mgmt_service_client(cmd.cli_ctx, ResourceType.MGMT_CONTAINERREGISTRY)
        servers = [item.login_server for item in client.registries.list() if item.name.lower() == name.lower()]
    except Exception as error:  # pylint: disable=broad-except  (the guess stands, and its own error is shown)
        _logger.info("Azure Resource Manager did not tell the login server of %s: %s", name, type(error).__name__)
        return None
    return str(servers[0]) if servers else None
