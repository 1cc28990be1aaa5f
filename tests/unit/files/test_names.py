"""Names from a registry: unsafe ones and collisions are refused on every system."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from azext_acrartifact.errors import UnsafeContentError
from azext_acrartifact.files.names import (
    COMPONENT_LIMIT,
    MOST_COMPONENTS,
    TITLE_LIMIT,
    RelativeName,
    check_collisions,
    safe_folder,
    safe_name,
)

UNSAFE = {
    "empty": "",
    "dot": ".",
    "dot-dot": "..",
    "traversal": "../evil.txt",
    "traversal-inner": "a/../../evil.txt",
    "traversal-inside": "x/../same.txt",
    "dot-inner": "a/./b",
    "dot-twice": "././a",
    "absolute": "/etc/passwd",
    "double-slash": "a//b",
    "trailing-slash": "a/",
    "backslash": "a\\b",
    "backslash-traversal": "..\\evil.txt",
    "unc": "\\\\host\\share\\x",
    "drive": "C:/x",
    "drive-relative": "C:x",
    "stream": "a.txt:hidden",
    "star": "a*",
    "question": "a?",
    "quote": 'a"b',
    "less": "a<b",
    "more": "a>b",
    "pipe": "a|b",
    "nul-byte": "a\x00b",
    "newline": "a\nb",
    "carriage-return": "a\rb",
    "escape": "\x1b[2Jx",
    "delete": "a\x7f",
    "c1": "a\x85",
    "bidi": "a\u202egpj.exe",
    "zero-width-space": "a\u200bb",
    "byte-order-mark": "\ufeffa",
    "line-separator": "a\u2028b",
    "paragraph-separator": "a\u2029b",
    "surrogate": "a\ud800b",
    "trailing-dot": "a.",
    "trailing-dot-inner": "a./b",
    "trailing-space": "a ",
    "device": "NUL",
    "device-lower": "con",
    "device-extension": "aux.txt",
    "device-extensions": "nul.tar.gz",
    "device-space": "PRN .txt",
    "device-inner": "a/COM1/b",
    "device-zero": "COM0",
    "device-superscript": "LPT\N{SUPERSCRIPT TWO}.txt",
    "device-console": "CONIN$",
    "device-console-out": "CONOUT$",
    "device-clock": "clock$",
    "component-long": "x" * (COMPONENT_LIMIT + 1),
    "component-long-utf8": "é" * 128,
    "title-long": "/".join(["abc"] * 300),
    "deep": "/".join("a" * (MOST_COMPONENTS + 1)),
    "ours": ".acrartifact-0123.part",
    "ours-case": "a/.ACRartifact-x",
}

SAFE = [
    "artifact.txt",
    "pp/a/b/c.txt",
    ".hidden",
    "..a",
    "a..b",
    " leading space",
    "##vso[task.setvariable variable=PATH]x",
    "naïve résumé.txt",
    "文件.txt",
    "console.txt",
    "com10",
    "nullify",
    "-rf",
    "~",
    "x" * COMPONENT_LIMIT,
    "a" * 255 + "/" + "b" * 255 + "/" + "c" * 255,
    "/".join("a" * MOST_COMPONENTS),
    "/".join(["x" * 204] * 4 + ["x" * (TITLE_LIMIT - 4 * 205)]),
]


@pytest.mark.parametrize("title", UNSAFE.values(), ids=UNSAFE.keys())
def test_refuses_unsafe_title(title: str) -> None:
    with pytest.raises(UnsafeContentError) as caught:
        safe_name(title)
    assert caught.value.why
    assert caught.value.message.isprintable()


@pytest.mark.parametrize("title", SAFE)
def test_accepts_safe_title_unchanged(title: str) -> None:
    assert str(safe_name(title)) == title


def test_the_destination_itself_has_no_name() -> None:
    top = RelativeName(())
    assert (str(top), top.last, top.parent) == (".", "", top)
    assert (safe_name("a/b").last, safe_name("a/b").parent) == ("b", safe_name("a"))


def test_drops_one_leading_dot() -> None:
    assert safe_name("./same.txt") == safe_name("same.txt")


@pytest.mark.parametrize("title", [".", "./"])
def test_folder_may_be_the_destination_itself(title: str) -> None:
    assert safe_folder(title) == RelativeName(())
    with pytest.raises(UnsafeContentError):
        safe_name(title)


@pytest.mark.parametrize("title", ["/", "..", "../", "./..", "/.", "a/..", "", ".//"])
def test_folder_is_checked_like_a_file(title: str) -> None:
    with pytest.raises(UnsafeContentError):
        safe_folder(title)


def test_folder_may_end_in_a_slash() -> None:
    assert safe_folder("d/e/").parts == ("d", "e")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("same.txt", "same.txt"),
        ("same.txt", "./same.txt"),
        ("a", "a/b"),
        ("a/b/c", "a"),
    ],
)
def test_refuses_collision_naming_both(first: str, second: str) -> None:
    with pytest.raises(UnsafeContentError) as caught:
        check_collisions(map(safe_name, [first, "other", second]))
    assert str(safe_name(first)) in caught.value.where
    assert str(safe_name(second)) in caught.value.where


def test_destination_itself_collides_with_any_other() -> None:
    for names in ([safe_folder("."), safe_name("a")], [safe_name("a"), safe_folder(".")]):
        with pytest.raises(UnsafeContentError):
            check_collisions(names)


@pytest.mark.parametrize(
    ("first", "second", "twins"),
    [
        ("Readme", "README", (".", "Readme", "README")),
        ("straße", "STRASSE", (".", "straße", "STRASSE")),
        ("caf\u00e9", "cafe\u0301", (".", "caf\u00e9", "cafe\u0301")),
        ("CAF\u00c9", "cafe\u0301", (".", "CAF\u00c9", "cafe\u0301")),
        ("\u03b1\u0345\u0301", "\u1fb4", (".", "\u03b1\u0345\u0301", "\u1fb4")),
        ("x/A/b", "x/a", ("x", "A", "a")),
        ("x/a", "x/A/b", ("x", "a", "A")),
        ("d/x", "D/X", (".", "d", "D")),
    ],
)
def test_names_that_some_systems_take_for_one_are_returned(
    first: str, second: str, twins: tuple[str, str, str]
) -> None:
    found = check_collisions(map(safe_name, [first, "other", second]))
    assert [(str(pair.parent), pair.first, pair.second) for pair in found] == [twins]
    with pytest.raises(UnsafeContentError, match="same name"):
        check_collisions(map(safe_name, [first, second, second]))


def test_files_and_folders_are_limited() -> None:
    names = [safe_name(f"d/{number}/f") for number in range(4)]
    check_collisions(names, limit=10)  # the destination, d, and a folder and a file for each
    with pytest.raises(UnsafeContentError, match="too many files and folders: more than 9"):
        check_collisions(names, limit=9)


def test_accepts_neighbours() -> None:
    check_collisions(map(safe_name, ["a/b", "a/c", "ab", "a.b", "b/a"]))


@settings(derandomize=True, max_examples=400, deadline=None)
@given(st.text(st.characters(), max_size=40) | st.text("a./\\:\u202e \x00CON", max_size=12))
def test_a_safe_name_cannot_leave_the_folder(title: str) -> None:
    try:
        name = safe_name(title)
    except UnsafeContentError:
        return
    assert name.parts
    assert not {"", ".", ".."} & set(name.parts)
    assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Zl", "Zp") for c in title)
    assert not set('\\:*?"<>|') & set(title)
    assert len(title) <= TITLE_LIMIT + len("./")
    assert safe_name(str(name)) == name
