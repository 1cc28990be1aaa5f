"""Container Registry's data plane: tokens, `/v2` (OCI distribution 1.1), `/acr/v1`, and the storage behind it."""

from __future__ import annotations

from acr_emulator.registry.service import RegistryService
from acr_emulator.registry.storage_host import StorageHost
from acr_emulator.registry.store import Store

__all__ = ["RegistryService", "StorageHost", "Store"]
