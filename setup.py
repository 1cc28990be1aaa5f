"""Packaging of the Azure CLI extension `acrartifact`: one pure-Python wheel that holds `azext_acrartifact`."""

import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).resolve().parent


def read(name: str) -> str:
    """The text of a file beside this one."""
    return (ROOT / name).read_text(encoding="utf-8")


def version() -> str:
    """VERSION of azext_acrartifact/_version.py, read and not imported: the package may not be importable here."""
    found = re.search(r'^VERSION = "([^"]+)"$', read("azext_acrartifact/_version.py"), re.MULTILINE)
    if found is None:
        raise SystemExit("azext_acrartifact/_version.py has no VERSION")
    return found.group(1)


# Nothing is declared here although requests, knack, azure-core, msal and azure-mgmt-containerregistry are
# used: they are Azure CLI's own, always present where an extension runs. `az extension add` installs an
# extension's dependencies anew beside it (pip --target), where core's copies shadow them: 30 MB that are never
# imported, no installation without a package index, and new releases that run against core's older ones
# (https://github.com/Azure/azure-cli/blob/dev/doc/extensions/authoring.md; Azure/azure-cli#29940).
DEPENDENCIES: list[str] = []

EXTRAS = {
    # For pip users who sign in by workload identity, Azure Pipelines or managed identity without `az login`.
    # 1.17.1 is the last release that also runs on the msal of Azure CLI 2.60.
    "identity": ["azure-identity>=1.17.1"],
    "test": [
        "azure-cli>=2.60.0",
        "azure-cli-core>=2.60.0",
        "azure-identity>=1.17.1",
        "azure-mgmt-containerregistry>=10.3.0",
        "cryptography",
        "hypothesis",
        "knack>=0.11.0",
        "pytest",
        "pytest-socket",
        "pytest-timeout",
        "requests>=2.32.0",
    ],
}

setup(
    name="acrartifact",
    version=version(),
    description="Push, pull and manage files and folders as OCI artifacts in Azure Container Registry.",
    long_description=read("README.md"),
    long_description_content_type="text/markdown",
    license="MIT",
    author="acrartifact contributors",
    # Whoever publishes it sets an address that is read; .invalid never resolves (RFC 2606).
    author_email="acrartifact@example.invalid",
    url="https://github.com/Azure/azure-cli-extensions/tree/main/src/acrartifact",
    keywords=["azure", "azure-cli", "container-registry", "acr", "oci", "artifact", "oras"],
    classifiers=[
        "Development Status :: 4 - Beta",
        "Environment :: Console",
        "Intended Audience :: Developers",
        "Intended Audience :: System Administrators",
        "License :: OSI Approved :: MIT License",
        "Programming Language :: Python :: 3",
        "Programming Language :: Python :: 3.10",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Programming Language :: Python :: 3.14",
        "Typing :: Typed",
    ],
    python_requires=">=3.10",
    install_requires=DEPENDENCIES,
    extras_require=EXTRAS,
    packages=find_packages(include=["azext_acrartifact", "azext_acrartifact.*"], exclude=["*.tests", "*.tests.*"]),
    package_data={"azext_acrartifact": ["azext_metadata.json", "py.typed"]},
    zip_safe=False,
)
