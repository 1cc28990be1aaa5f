"""Microsoft Entra ID and the managed-identity endpoints, as far as the Azure CLI and azure-identity use them."""

from acr_emulator.entra.cloud_shell import CloudShell
from acr_emulator.entra.managed_identity import ManagedIdentity
from acr_emulator.entra.service import Entra

__all__ = ["CloudShell", "Entra", "ManagedIdentity"]
