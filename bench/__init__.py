"""Measurements of `az acr artifact` and other clients, against one registry, in interleaved rounds."""
