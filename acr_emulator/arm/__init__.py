"""Azure Resource Manager as the Azure CLI uses it for container registries.

`Arm` answers for management.azure.com; see `service.py` for what it knows.
"""

from acr_emulator.arm.service import Arm

__all__ = ["Arm"]
