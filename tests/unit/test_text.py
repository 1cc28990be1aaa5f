"""Text from elsewhere is harmless on a terminal and in a pipeline."""

from __future__ import annotations

import json
import textwrap
import unicodedata

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.errors import ArtifactError
from azext_acrartifact.text import first_of, optional, printable, printable_lines, without_tokens


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain text, Grüße, 文件", "plain text, Grüße, 文件"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("two\nlines\r", "two\\nlines\\r"),
        ("a\u202egnp.exe", "a\\u202egnp.exe"),
        ("\u2028\u2029\u200b", "\\u2028\\u2029\\u200b"),
        ("\ud800", "\\ud800"),
        ("\ue000", "\\ue000"),
        ("\u0378", "\\u0378"),
        ("\x9b31m", "\\x9b31m"),
        ("##vso[task.setvariable variable=x]y", "# #vso[task.setvariable variable=x]y"),
        ("##[error]no", "# #[error]no"),
        ("x ##VSO[task]", "x # #VSO[task]"),
        ("###[error]", "## #[error]"),
        ("::set-output name=a::b", ": :set-output name=a::b"),
        ("a ::error::b", "a : :error::b"),
        (" ::\x00", " : :\\x00"),
        (":::error::x", ": : :error::x"),
        ("é::error::x", "é: :error::x"),
        ('"::error::x', '": :error::x'),
        ("##teamcity[x]", "# #teamcity[x]"),
        ("std::string ## heading", "std::string ## heading"),
        ("[::1]:5000/a", "[::1]:5000/a"),
        ("Grüße\n文件", "Grüße\\n文件"),
        (None, "None"),
        (12, "12"),
    ],
)
def test_escapes_and_commands_are_broken_up(text: object, shown: str) -> None:
    assert printable(text) == shown


def test_a_long_text_ends_in_an_ellipsis() -> None:
    assert printable("x" * 301) == "x" * 299 + "…"
    assert printable("x" * 300) == "x" * 300
    assert printable("x" * 50, 10) == "x" * 9 + "…"


def test_a_missing_value_stays_none() -> None:
    assert optional(None) is None
    assert [optional(value) for value in ("", 0, "a\n")] == ["", "0", "a\\n"]
    assert optional("x" * 1025) == "x" * 1023 + "…"


def test_escapes_count_for_the_limit() -> None:
    assert len(printable("\U000e0001" * 300)) <= 300
    assert len(printable("##[" * 300)) <= 300


@given(st.text(alphabet=st.characters(), max_size=400), st.integers(1, 400))
def test_any_text_is_safe_and_short(text: str, limit: int) -> None:
    shown = printable(text, limit)
    assert len(shown) <= limit
    assert "##[" not in shown
    assert "##vso[" not in shown.lower()
    assert not shown.startswith("::")
    assert not {unicodedata.category(one) for one in shown} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


@given(st.text("é::#[a \"'-\n\u2028🙂", min_size=60, max_size=300))
def test_no_line_of_any_format_begins_with_a_command(text: str) -> None:
    rows = [{"a": printable(text), printable(text, 100): ["", printable(text)]}]
    formats = [yaml.safe_dump(rows, default_flow_style=False, allow_unicode=wide) for wide in (True, False)]
    for shown in (*formats, json.dumps(rows, indent=2), printable_lines("\n".join(textwrap.wrap(text, 11)))):
        assert not [line for line in shown.splitlines() if line.strip().startswith(("::", "##["))]


def test_a_token_in_an_error_is_not_shown() -> None:
    token = "eyJhbGciOiJSUzI1NiIsInR5cCI6IkpXVCJ9.eyJqdGkiOiIxIn0.c2lnbmF0dXJl-_"
    error = ArtifactError(f"No {token}", where=token, why=f"Bearer {token}, twice {token}", hint=token)
    for text in (error.what, error.where, error.why, error.hint, error.message):
        assert "eyJ" not in text
        assert "c2lnbmF0" not in text
    assert without_tokens("eyJustAName and eyJ.eyJ") == "eyJustAName and eyJ.eyJ"


@pytest.mark.parametrize(("most", "shown"), [(1, "a and 2 more"), (2, "a; b and 1 more"), (3, "a; b; c")])
def test_a_long_list_is_cut_and_its_rest_is_counted(most: int, shown: str) -> None:
    assert first_of(["a", "b", "c"], most, "; ") == shown
