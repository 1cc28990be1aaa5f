"""Environment variables: what pip must see, and what must not leak from the machine into a local Azure.

An agent's own proxy, CA bundle or Azure sign-in would lead `az` away from the emulator, and the emulator's
proxy and CA would lead pip away from its index; so neither process gets the other's variables.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_PYTHON = ("PYTHONHOME", "PYTHONPATH")
_PIP_TARGETS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
_AWAY_FROM_HERE = (
    # proxies
    "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "FTP_PROXY",
    # trust
    "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE", "SSL_CERT_DIR",
    # managed identity, Cloud Shell (azure-identity, msal)
    "IDENTITY_ENDPOINT", "IDENTITY_HEADER", "IMDS_ENDPOINT", "MSI_ENDPOINT", "MSI_SECRET",
    "ACC_CLOUD", "ACC_LOCATION",
    # Azure Pipelines
    "SERVICEPRINCIPALID", "SERVICEPRINCIPALKEY", "TENANTID", "IDTOKEN", "SYSTEM_ACCESSTOKEN", "SYSTEM_OIDCREQUESTURI",
    # credential files and stores of other tools
    "DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "DOCKER_AUTH_CONFIG", "ORAS_CACHE", "NETRC",
    # changes what is built
    "SOURCE_DATE_EPOCH",
)  # fmt: skip
# Coverage of an `az` from its start takes half as long again; tests/functional/measured begins later.
_AWAY_PREFIXES = ("AZURE_", "ARM_", "AZUREPS_", "AZURESUBSCRIPTION_", "COVERAGE_")


def for_pip(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The user's own environment, save what would install outside the virtual environment."""
    return _without(os.environ if environment is None else environment, (*_PYTHON, *_PIP_TARGETS), ())


def clean(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment without proxy, CA and Azure settings: what a fresh machine would have."""
    given = os.environ if environment is None else environment
    return _without(given, (*_PYTHON, *_PIP_TARGETS, *_AWAY_FROM_HERE), _AWAY_PREFIXES)


def _without(given: Mapping[str, str], names: tuple[str, ...], prefixes: tuple[str, ...]) -> dict[str, str]:
    """*given* without *names* and *prefixes*, in whatever case they are written."""
    return {k: v for k, v in given.items() if k.upper() not in names and not k.upper().startswith(prefixes)}
