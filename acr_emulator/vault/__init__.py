"""Azure Key Vault: certificates, keys that sign, secrets."""

from acr_emulator.vault.service import KeyVaultService as KeyVaultService
