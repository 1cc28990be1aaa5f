"""Measurements of `az acr artifact` beside other clients, on one registry, in interleaved rounds."""
