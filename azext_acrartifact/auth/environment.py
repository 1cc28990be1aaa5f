"""Identities from environment variables, for machines without `az login`. They need the package azure-identity.

https://learn.microsoft.com/python/api/overview/azure/identity-readme. Azure CLI does not depend on it, and some of its
versions fail to load with az's msal (Azure/azure-cli#29940), so it is imported only here, and only when it is used.
"""

from __future__ import annotations

import logging
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SignInError
from ..known_secrets import KNOWN
from .chain import NotConfiguredError
from .claims import claims_of
from .credentials import EntraCredential, EntraToken, reason_of

PACKAGE = "azure-identity~=1.17.1"
"""The release that works with the msal of every az since 2.60, and has `AzurePipelinesCredential`."""
_PIPELINE = ("AZURESUBSCRIPTION_CLIENT_ID", "AZURESUBSCRIPTION_TENANT_ID", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID")
_SECRETS = ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "SYSTEM_ACCESSTOKEN")
_Variables = Mapping[str, str]


@dataclass(frozen=True)
class Kind:
    """A kind of identity. *needs* are the variables that it requires. *build* makes its credential from the module
    `azure.identity`, the variables, and the options of every credential."""

    name: str
    needs: Sequence[str]
    build: Callable[[Any, _Variables, dict[str, Any]], Any]

    def is_configured(self, variables: _Variables) -> bool:
        """Return whether every required variable is set."""
        return all(variables.get(name) for name in self.needs)


def _managed_identity(identity: Any, variables: _Variables, options: dict[str, Any]) -> Any:
    plain = {name: value for name, value in options.items() if name != "authority"}
    return identity.ManagedIdentityCredential(client_id=variables.get("AZURE_CLIENT_ID"), **plain)


KINDS = (
    Kind(
        "the environment's workload identity",
        ("AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"),
        lambda identity, variables, options: identity.WorkloadIdentityCredential(**options),
    ),
    Kind(
        "the Azure Pipelines service connection",
        (*_PIPELINE, "SYSTEM_ACCESSTOKEN", "SYSTEM_OIDCREQUESTURI"),
        lambda identity, variables, options: identity.AzurePipelinesCredential(
            client_id=variables[_PIPELINE[0]],
            tenant_id=variables[_PIPELINE[1]],
            service_connection_id=variables[_PIPELINE[2]],
            system_access_token=variables["SYSTEM_ACCESSTOKEN"],
            **options,
        ),
    ),
    *(
        Kind(
            "the environment's service principal",
            ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", proof),
            lambda identity, variables, options: identity.EnvironmentCredential(**options),
        )
        for proof in ("AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PATH")
    ),
    Kind("the managed identity", ("IDENTITY_ENDPOINT",), _managed_identity),
    Kind("the managed identity", ("MSI_ENDPOINT",), _managed_identity),
)
VIRTUAL_MACHINE = Kind("the machine's managed identity", (), _managed_identity)
"""No variable says whether a machine has an identity. A request to 169.254.169.254 does, but it takes long to time out
on other machines, so it is sent only if the user chose the environment."""


def environment_credential(
    variables: _Variables, audiences: Sequence[str], options: dict[str, Any], *, ask_machine: bool
) -> EntraCredential:
    """Return the identity that *variables* name, or, with *ask_machine*, the machine's own.

    *options* go to azure-identity (`authority`, `connection_verify`). Raises `NotConfiguredError` if there is none,
    `SignInError` if azure-identity cannot be used.
    """
    KNOWN.add(*(variables[name] for name in _SECRETS if name in variables))
    last_resort = VIRTUAL_MACHINE if ask_machine else None
    kind = next((kind for kind in KINDS if kind.is_configured(variables)), last_resort)
    if kind is None:
        raise NotConfiguredError("The environment has no identity", why=_missing(variables))
    identity = _azure_identity()
    try:
        credential = kind.build(identity, variables, options)
    except (ValueError, TypeError, OSError) as error:
        raise _no_token(kind, error) from error
    return EntraCredential(lambda audience: _token(kind, credential, audience), audiences, kind.name)


def install_command() -> str:
    """Return the command that installs azure-identity, and nothing else, where this extension finds it."""
    folder = Path(__file__).resolve().parents[2]
    return f'"{sys.executable}" -m pip install --no-deps --upgrade --target "{folder}" "{PACKAGE}"'


def _azure_identity() -> Any:
    try:
        import azure.identity
    except ImportError as error:
        raise _unusable("it is not installed", error) from error
    except AttributeError as error:
        raise _unusable("the installed version clashes with the Azure CLI's msal", error) from error
    # It logs a warning with a traceback for each error that it raises, which may fail a pipeline.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    return azure.identity


def _unusable(why: str, error: Exception) -> SignInError:
    return SignInError(
        "azure-identity cannot be used",
        where=f"{type(error).__name__}: {error}",
        why=why,
        hint=f"Run: {install_command()}",
    )


def _token(kind: Kind, credential: Any, audience: str) -> EntraToken:
    from azure.core.exceptions import AzureError

    try:
        value = credential.get_token(f"{audience.rstrip('/')}/.default").token
    except (AzureError, ValueError, OSError) as error:
        raise _no_token(kind, error) from error
    tenant = claims_of(value).get("tid")
    return EntraToken(value, str(tenant) if tenant else None)


def _no_token(kind: Kind, error: Exception) -> SignInError:
    return SignInError(
        f"Could not get a token from {kind.name}",
        why=reason_of(error),
        hint="Check its environment variables, or sign in: az login",
    )


def _missing(variables: _Variables) -> str:
    """Return the reason, in detail for a pipeline's service connection that is set up in part: the usual mistake."""
    if all(variables.get(name) for name in _PIPELINE):
        if not variables.get("SYSTEM_ACCESSTOKEN"):
            return "SYSTEM_ACCESSTOKEN is not mapped into the task: env: SYSTEM_ACCESSTOKEN: $(System.AccessToken)"
        return "SYSTEM_OIDCREQUESTURI is not set. The agent sets it for every task: pass it on to this process"
    return (
        "no variables are set for a workload identity, a service connection, a service principal or a managed identity"
    )
