"""Text that is safe on a terminal, and in the output that a pipeline's agent reads."""

from __future__ import annotations

import unicodedata

_OBEYED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def is_harmless(text: str, limit: int = 4000) -> bool:
    """Return whether *text* is one short line without commands for a terminal or an agent."""
    assert len(text) <= limit, len(text)
    assert not {unicodedata.category(character) for character in text} & _OBEYED, ascii(text)
    assert "##[" not in text
    assert "##vso[" not in text.lower()
    assert not text.lstrip().startswith("::"), text
    return True
