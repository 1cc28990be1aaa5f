"""A local Azure for `az acr artifact`: Entra, Resource Manager, Container Registry and Tasks on one loopback port.

`python -m acr_emulator` starts it; `acr_emulator.client.Emulator` starts and drives it from a test. See README.md.
"""
