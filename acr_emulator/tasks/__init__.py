"""ACR Tasks: quick builds whose context is an artifact in a registry or an uploaded tar.

The runner uses the registry only through the emulator's dispatch, like any client.
"""
