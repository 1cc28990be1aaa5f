"""Decode bytes to text as broken as text can be."""

from __future__ import annotations


def decoded(data: bytes) -> str:
    """Decode UTF-8, with lone surrogates where they are written, and the replacement character for everything else."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")
