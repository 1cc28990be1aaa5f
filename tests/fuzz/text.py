"""Text from other programs that is shown or logged, and secrets in it."""

from __future__ import annotations

from azext_acrartifact.errors import ArtifactError
from azext_acrartifact.text import printable
from azext_acrartifact.transport.redaction import public_url, without_queries
from tests.fuzz.decoded import decoded
from tests.fuzz.shown import is_harmless

SECRET = "Zm9vYmFyc2VjcmV0"


def check(data: bytes) -> None:
    """Read the first byte as a limit, the rest as the text."""
    if not data:
        return
    limit, text = data[0] + 1, decoded(data[1:])
    assert is_harmless(printable(text, limit), limit)
    error = ArtifactError(text, where=text, why=text, hint=text)
    assert is_harmless(error.message, 2000)
    _no_secret(text)


def _no_secret(text: str) -> None:
    """Require that no query is shown, wherever it is in a URL."""
    text = "".join(text.split()).replace('"', "")
    if SECRET in text:
        return
    for address in (
        f"https://host/{text}?sig={SECRET}",
        f"/v2/{text}?_state={SECRET}",
        f"{text} /x?{SECRET}'&y={SECRET}",
    ):
        assert SECRET not in without_queries(address), address
    assert SECRET not in public_url(f"https://{SECRET}@host/{text}")
    assert SECRET not in public_url(f"https://host/x?{text}{SECRET}")
