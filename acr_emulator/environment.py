"""The environment variables that send unmodified Azure clients to the emulator only."""

from __future__ import annotations

from pathlib import Path

from acr_emulator.entra.managed_identity import IDENTITY_HEADER


def proxy_environment(port: int, ca_file: Path, config_dir: Path) -> dict[str, str]:
    """Return the variables for az, azure-identity, curl and Go programs. Only 127.0.0.1 bypasses the proxy, as Cloud
    Shell's token host is `localhost`. Go also reads `SSL_CERT_DIR`, so it is a folder without certificates."""
    proxy = f"http://127.0.0.1:{port}"
    ca = str(ca_file)
    return {
        "HTTPS_PROXY": proxy,
        "https_proxy": proxy,
        "HTTP_PROXY": proxy,
        "http_proxy": proxy,
        "NO_PROXY": "127.0.0.1",
        "no_proxy": "127.0.0.1",
        "ALL_PROXY": "",
        "all_proxy": "",
        "REQUESTS_CA_BUNDLE": ca,
        "SSL_CERT_FILE": ca,
        "SSL_CERT_DIR": str(_empty_directory(ca_file)),
        "CURL_CA_BUNDLE": ca,
        "AZURE_CONFIG_DIR": str(config_dir),
        "AZURE_CORE_COLLECT_TELEMETRY": "no",
        "AZURE_CORE_NO_COLOR": "yes",
        "AZURE_CORE_LOGIN_EXPERIENCE_V2": "no",
        "AZURE_AUTO_UPGRADE_ENABLE": "no",
        "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
    }


def app_service_environment(port: int) -> dict[str, str]:
    """Return more variables: a managed identity as in App Service or Functions."""
    return {"IDENTITY_ENDPOINT": f"http://127.0.0.1:{port}/msi/token", "IDENTITY_HEADER": IDENTITY_HEADER}


def cloud_shell_environment() -> dict[str, str]:
    """Return more variables: the Azure CLI then assumes Azure Cloud Shell."""
    return {
        "ACC_CLOUD": "PROD",
        "ACC_LOCATION": "westeurope",
        "AZUREPS_HOST_ENVIRONMENT": "cloud-shell/1.0",
        "MSI_ENDPOINT": "http://localhost:50342/oauth2/token",
    }


def _empty_directory(ca_file: Path) -> Path:
    folder = ca_file.parent / "no-certificates"
    folder.mkdir(exist_ok=True)
    return folder
