"""Read, write, pack and unpack the user's files and folders.

A name from a registry may be hostile: it must be checked into a `RelativeName` before it reaches the file system.
"""
