"""The environment variables of pip, and those of `az` on a local Azure.

A proxy, CA bundle or Azure sign-in of the machine would send `az` past the emulator, and the emulator's proxy
and CA would send pip past its index. So neither process gets the variables of the other.
"""

from __future__ import annotations

import os
from collections.abc import Mapping

_PYTHON = ("PYTHONHOME", "PYTHONPATH")
_PIP_TARGETS = ("PIP_USER", "PIP_TARGET", "PIP_PREFIX", "PIP_ROOT")
_MACHINE_NAMES = (
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
    # changes the wheel
    "SOURCE_DATE_EPOCH",
)  # fmt: skip
# Coverage of an `az` from its start takes half as long again; tests/functional/measured begins later.
_MACHINE_PREFIXES = ("AZURE_", "ARM_", "AZUREPS_", "AZURESUBSCRIPTION_", "COVERAGE_")


def for_pip(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the user's environment without the variables that make pip install outside the virtual environment."""
    return _without(os.environ if environment is None else environment, (*_PYTHON, *_PIP_TARGETS), ())


def clean(environment: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment without proxy, CA and Azure settings, as on a fresh machine."""
    given = os.environ if environment is None else environment
    return _without(given, (*_PYTHON, *_PIP_TARGETS, *_MACHINE_NAMES), _MACHINE_PREFIXES)


def _without(given: Mapping[str, str], names: tuple[str, ...], prefixes: tuple[str, ...]) -> dict[str, str]:
    """Return *given* without *names* and *prefixes*, ignoring case."""
    return {k: v for k, v in given.items() if k.upper() not in names and not k.upper().startswith(prefixes)}
