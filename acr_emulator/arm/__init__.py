"""Azure Resource Manager as the Azure CLI uses it for container registries.

`Arm` serves management.azure.com; `service.py` lists its operations.
"""

from acr_emulator.arm.service import Arm

__all__ = ["Arm"]
