"""The emulator's one listening port: a CONNECT proxy that terminates TLS, faults, request log, control API."""
