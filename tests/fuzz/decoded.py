"""Bytes as text, as broken as text can be."""

from __future__ import annotations


def decoded(data: bytes) -> str:
    """UTF-8 with lone surrogates where those are written, and with the replacement character for all else."""
    try:
        return data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return data.decode("utf-8", "replace")
