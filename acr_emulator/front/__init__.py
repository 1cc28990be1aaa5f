"""The emulator's one listening port: a CONNECT proxy that ends TLS itself, faults, request log, control API."""
