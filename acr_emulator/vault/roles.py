"""Built-in roles for Key Vault's data.

https://learn.microsoft.com/azure/key-vault/general/rbac-guide#azure-built-in-roles-for-key-vault-data-plane-operations
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from acr_emulator.world import Vault

_PREFIX = "Microsoft.KeyVault/vaults"
READ_CERTIFICATE = f"{_PREFIX}/certificates/read"
IMPORT_CERTIFICATE = f"{_PREFIX}/certificates/import/action"
UPDATE_CERTIFICATE = f"{_PREFIX}/certificates/update/action"
READ_KEY = f"{_PREFIX}/keys/read"
SIGN = f"{_PREFIX}/keys/sign/action"
GET_SECRET = f"{_PREFIX}/secrets/getSecret/action"
_CRYPTO = ("read", "update/action", "backup/action", "encrypt/action", "decrypt/action", "wrap/action", "unwrap/action",
           "sign/action", "verify/action")  # fmt: skip
ROLES: dict[str, tuple[str, ...]] = {
    "Key Vault Administrator": (f"{_PREFIX}/*",),
    "Key Vault Certificates Officer": (f"{_PREFIX}/certificates/*", f"{_PREFIX}/certificatecas/*"),
    "Key Vault Certificate User": (READ_CERTIFICATE, READ_KEY, GET_SECRET, f"{_PREFIX}/secrets/readMetadata/action"),
    "Key Vault Crypto User": tuple(f"{_PREFIX}/keys/{action}" for action in _CRYPTO),
    "Key Vault Secrets User": (GET_SECRET, f"{_PREFIX}/secrets/readMetadata/action"),
    "Key Vault Reader": (READ_CERTIFICATE, READ_KEY, f"{_PREFIX}/secrets/readMetadata/action"),
}


def may(vault: Vault, object_id: str, action: str) -> bool:
    """Return whether the identity *object_id* may do *action* in *vault*."""
    roles = [grant.role for grant in vault.roles if grant.object_id == object_id]
    return any(fnmatchcase(action, pattern) for role in roles for pattern in ROLES.get(role, ()))
