"""A registered secret is in no text, whatever its encoding."""

from __future__ import annotations

import base64
import html
import json
import logging
import re
import time
from collections.abc import Callable
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import NotFoundError
from azext_acrartifact.known_secrets import KNOWN, LONGEST_ENCODED, SIGNATURES, SecretRegister, protect_log_records
from azext_acrartifact.text import printable

SECRET = 'P+a /s?s~w&ö"r\\d<'
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "query": quote_plus,
    "path": lambda secret: quote(secret, safe=""),
    "path with slashes": quote,
    "lower case": lambda secret: re.sub("%..", lambda match: match.group().lower(), quote(secret, safe="")),
    "JSON": lambda secret: json.dumps({"a": secret}),
    "JSON of other letters": lambda secret: json.dumps({"a": secret}, ensure_ascii=False),
    "Python": repr,
    "HTML": html.escape,
    "HTML between tags": lambda secret: html.escape(secret, quote=False),
    "host": str.lower,
    "hexadecimal": lambda secret: secret.encode().hex(),
    **{
        f"Basic of {user!r}": lambda secret, user=user: base64.b64encode(f"{user}:{secret}".encode()).decode()
        for user in ("", "a", "ab", "abc")
    },
    "URL-safe base64": lambda secret: base64.urlsafe_b64encode(f"x:{secret}\n".encode()).decode(),
}  # fmt: skip


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_secret_is_hidden_in_every_encoding(encoding: str) -> None:
    register = SecretRegister()
    register.add(SECRET)
    hidden = register.hide(f"before {ENCODINGS[encoding](SECRET)} after")
    assert "…" in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")
    assert len(hidden) < 30, "no more than the edges of a base64 text are left"


@pytest.mark.parametrize("surrogate", [0xD80E, 0xDCFF, 0xDFFF])
def test_a_lone_surrogate_does_not_prevent_it(surrogate: int) -> None:
    """JSON files have them, and arguments that are no UTF-8."""
    register = SecretRegister()
    register.add(chr(surrogate) + SECRET)
    assert register.hide(f"({chr(surrogate)}{SECRET})") == "(…)"


@given(st.text(st.characters(codec="utf-8"), min_size=6, max_size=40), st.binary(max_size=5), st.binary(max_size=5))
def test_no_base64_of_a_secret_can_be_decoded(secret: str, before: bytes, after: bytes) -> None:
    register = SecretRegister()
    register.add(secret)
    text = base64.b64encode(before + secret.encode() + after).decode()
    hidden = register.hide(text)
    assert "…" in hidden
    assert len(hidden.replace("…", "")) <= len(base64.b64encode(before + after)) + 4


def test_a_secret_in_another_leaves_nothing_of_it() -> None:
    register = SecretRegister()
    register.add("hunter22", "hunter22-and-more")
    assert register.hide("It was hunter22-and-more, not hunter22.") == "It was …, not …."


def test_a_short_secret_is_not_registered() -> None:
    register = SecretRegister()
    register.add("12345", "")
    register.add_signature("12345")
    assert register.hide("12345") == "12345"


def test_the_least_recently_used_secret_is_forgotten() -> None:
    register = SecretRegister(capacity=2)
    for secret in ("secret-a", "secret-b", "secret-a", "secret-c"):
        register.add(secret)
    assert register.hide("secret-a secret-b secret-c") == "… secret-b …"


def test_the_shortest_signature_is_registered() -> None:
    register = SecretRegister()
    register.add_signature("123456")
    assert register.hide("sig=123456") == "sig=…"


@pytest.mark.parametrize("encode", [lambda secret: secret.encode().hex(), lambda secret: json.dumps(secret)[1:-1]])
def test_a_token_is_hidden_without_its_other_encodings(encode: Callable[[str], str]) -> None:
    """They would cost memory, and what is in a token needs none."""
    register = SecretRegister()
    longest, token = '"' + "x" * (LONGEST_ENCODED - 1), '"' + "y" * LONGEST_ENCODED
    register.add(longest, token)
    assert register.hide(f"{encode(longest)}, {token}") == "…, …"
    assert register.hide(encode(token)) in (encode(token), "\\…")


def test_older_signatures_are_forgotten() -> None:
    register = SecretRegister()
    for number in range(SIGNATURES + 1):
        register.add_signature(f"signature+{number}=")
    assert register.hide("signature+0=") == "signature+0="
    assert register.hide("signature+1= signature%2B16%3D") == "… …"


def test_text_is_cut_only_after_secrets_are_gone() -> None:
    KNOWN.add("correct horse battery")
    assert printable("correct horse battery staple", 10) == "… staple"
    error = NotFoundError("No correct horse battery", where="/correct%20horse%20battery", correlation_id="x")
    assert str(error) == "No … (/…) (correlation id x)"
    KNOWN.add("0123456789abcdef")
    assert "0123" not in str(NotFoundError("No", code="0123456789abcdef", correlation_id="0123456789abcdef"))


def test_log_records_of_every_logger_are_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    KNOWN.add("correct horse")
    before = logging.getLogRecordFactory()
    try:
        protect_log_records()
        protect_log_records()
        caplog.set_level(logging.DEBUG)
        logging.getLogger("azure.core.some.policy").debug("body: %s", {"password": "correct horse"})
        try:
            raise ValueError("correct horse")
        except ValueError:
            logging.getLogger("cli").exception("It failed")
        logging.getLogger("cli").debug("%s %s", "a", 1)
    finally:
        logging.setLogRecordFactory(before)
    assert "body: {'password': '…'}" in caplog.text
    assert "ValueError: …" in caplog.text
    assert "a 1" in caplog.text
    assert "correct" not in caplog.text


def test_many_texts_are_rendered_in_no_time() -> None:
    register = SecretRegister()
    for number in range(300):
        register.add(f"token-{number}-" + "x" * 2000)
        register.add_signature(f"signature-{number}")
    register.add(SECRET)
    began = time.process_time()
    for _ in range(10_000):
        register.hide("a digest, a tag or a title of common length, sha256:0123456789abcdef")
    assert time.process_time() - began < 2
