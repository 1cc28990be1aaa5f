"""The sources contain no unfinished work, machine paths, silenced checks or broad handlers, and speak plainly."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from pathlib import Path

import pytest

from tests.house.conftest import Seed
from tests.house.plain_words import old_names, old_words, old_words_in_document, riddles
from tests.house.source import PACKAGES, ROOT, Module, chores, emulator, extension, none, package

# The words are in two parts, so that the rule does not find itself.
UNFINISHED_WORDS = ["TO" + "DO", "FIX" + "ME", "XX" + "X", "NotImplemented" + "Error"]
SKIP_WORDS = ["pytest.sk" + "ip", "importor" + "skip", "mark.sk" + "ip", "mark.xf" + "ail", "unittest.sk" + "ip"]
UNFINISHED = re.compile(rf"\b({'|'.join(UNFINISHED_WORDS)})\b")
SKIPPED = re.compile("|".join(map(re.escape, SKIP_WORDS)))
MACHINE_PATH = re.compile(r"(?<![\w.:$}])/(root|home|work|tmp|Users)/[A-Za-z]")
INDEX_HOST = re.compile(r"\b(pypi\.(org|python)|files\.pythonhosted|proxy\.golang|registry\.npmjs|deb\.debian)\b")
SUPPRESSION = re.compile(r"#\s*(noqa|type:\s*ignore|pylint:\s*disable|nosec|pragma:\s*no cover)")

BROAD_PER_KLOC = 0.5
SUPPRESSIONS_PER_KLOC = 2.0
PATCH = re.compile(r"\bmonkeypatch\.setattr\b")
PATCHING_FILES = 0.1
"""The most test files that may replace an attribute; others use arguments."""

DOCUMENTS = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "HISTORY.rst", "docs/*.md", "acr_emulator/README.md"]


def own_sources() -> list[Module]:
    """Return the sources of the tests."""
    return package(ROOT / "tests")


def documents() -> list[Module]:
    """Return the documents, except for decisions and measurements, which are dated."""
    return [Module(path, path.name) for pattern in DOCUMENTS for path in sorted(ROOT.glob(pattern))]


def plain_sources() -> list[Module]:
    """Return all sources that must speak plainly: all but the list of words to avoid."""
    modules = [*extension(), *emulator(), *chores(), *package(ROOT / "bench"), *own_sources()]
    return [module for module in modules if module.name != old_words.__module__]


def patching(modules: list[Module]) -> list[str]:
    """Find test files that replace an attribute."""
    tests = [module for module in modules if module.path.name == "conftest.py" or module.path.name.startswith("test_")]
    found = [module.short for module in tests if PATCH.search(module.text)]
    return found if len(found) > PATCHING_FILES * len(tests) else []


def written(modules: list[Module], pattern: re.Pattern[str]) -> list[str]:
    """Find lines with *pattern*."""
    return [
        f"{module.at(number)}: {line.strip()}"
        for module in modules
        for number, line in enumerate(module.lines, 1)
        if pattern.search(line)
    ]


def commented(modules: list[Module], pattern: re.Pattern[str]) -> list[str]:
    """Find comments with *pattern*."""
    return [
        f"{module.at(token.start[0])}: {token.string}"
        for module in modules
        for token in tokenize.generate_tokens(io.StringIO(module.text).readline)
        if token.type == tokenize.COMMENT and pattern.search(token.string)
    ]


def broad(modules: list[Module]) -> list[str]:
    """Find handlers that swallow every exception; one that ends with `raise` does not."""
    return [
        module.at(node.lineno)
        for module in modules
        for node in ast.walk(module.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_all(node.type) and not _raises_again(node)
    ]


def per_kloc(found: list[str], modules: list[Module]) -> float:
    """Return the number of *found* in a thousand lines."""
    return 1000 * len(found) / sum(len(module.lines) for module in modules)


def _catches_all(caught: ast.expr | None) -> bool:
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(name is None or ast.unparse(name).split(".")[-1] in ("Exception", "BaseException") for name in names)


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


@PACKAGES
@pytest.mark.parametrize("pattern", [UNFINISHED, MACHINE_PATH, INDEX_HOST], ids=["unfinished", "path", "index"])
def test_sources_are_finished_and_name_no_machine(modules: list[Module], pattern: re.Pattern[str]) -> None:
    none(written(modules, pattern))


def test_no_test_is_skipped_or_unfinished() -> None:
    none(written(own_sources(), SKIPPED) + written(own_sources(), UNFINISHED))


def test_documents_and_scripts_name_no_machine() -> None:
    patterns = [".ci/*", "docs/**/*.md", "requirements/*.txt", "*.md", "*.rst", "*.toml", "*.yml", "*.py", "pylintrc"]
    modules = [Module(path, path.name) for pattern in patterns for path in ROOT.glob(pattern)]
    assert len(modules) > len(patterns)
    none(written(modules, MACHINE_PATH) + written(modules, INDEX_HOST) + written(modules, UNFINISHED))


@PACKAGES
def test_no_module_is_a_drawer(modules: list[Module]) -> None:
    drawers = {"util", "utils", "helper", "helpers", "common", "misc"}
    assert [module.short for module in modules if drawers & set(module.name.lstrip("_").split("."))] == []


def test_few_checks_are_silenced() -> None:
    found = commented(extension(), SUPPRESSION)
    assert per_kloc(found, extension()) <= SUPPRESSIONS_PER_KLOC, found


def test_few_handlers_catch_everything() -> None:
    found = broad(extension())
    assert per_kloc(found, extension()) <= BROAD_PER_KLOC, found


@pytest.mark.parametrize(
    ("pattern", "line"),
    [
        *((UNFINISHED, f"# {word}: more") for word in UNFINISHED_WORDS),
        *((SKIPPED, f"@{word}") for word in SKIP_WORDS),
        (MACHINE_PATH, "open('/ho" + "me/me/x')"),
        (INDEX_HOST, "https://py" + "pi.org/simple"),
    ],
)
def test_a_forbidden_word_is_found(seed: Seed, pattern: re.Pattern[str], line: str) -> None:
    assert len(written(seed("p", {"a.py": f"x = 1\n{line}\n"}), pattern)) == 1


def test_silenced_checks_and_broad_handlers_are_found(seed: Seed) -> None:
    text = (
        "try:\n    x = 1  # noqa\nexcept (OSError, Exception):\n    y = '# noqa'\ntry:\n    x = 2\nexcept:\n    x = 3\n"
    )
    modules = seed("p", {"a.py": text})
    assert len(commented(modules, SUPPRESSION)) == 1
    assert len(broad(modules)) == 2
    assert per_kloc(["one"], modules) == 125.0


def test_sources_speak_plainly() -> None:
    # One module after the other, since each is parsed once for all rules.
    none([found for module in plain_sources() for rule in (riddles, old_words, old_names) for found in rule(module)])


def test_documents_speak_plainly() -> None:
    assert len(documents()) > len(DOCUMENTS)
    none([found for document in documents() for found in old_words_in_document(document)])


def test_few_test_files_replace_attributes() -> None:
    none(patching(own_sources()))


def test_riddles_and_words_to_avoid_are_found(seed: Seed) -> None:
    name, parameter, word = "answer", "told", "tells"
    text = f'class A:\n    {{}}\n    def {name}(self, {parameter}):  # {word} it\n        """What it is."""\n'
    method, prop = seed("p", {"a.py": text.format("# a method"), "b.py": text.format("@property")})
    assert [len(rule(method)) for rule in (riddles, old_words, old_names)] == [1, 1, 2]
    assert [len(rule(prop)) for rule in (riddles, old_words, old_names)] == [0, 1, 2]


def test_words_to_avoid_are_found_in_documents(tmp_path: Path) -> None:
    word = "tell"
    (tmp_path / "a.md").write_text(f"`{word}` [link]({word})\n```\nto {word}\n```\nto {word}\n", encoding="utf-8")
    assert old_words_in_document(Module(tmp_path / "a.md", "a")) == [f"a.md:5: {word!r}: say say, return, report"]


def test_many_patching_files_are_found(seed: Seed) -> None:
    patch = "monkeypatch." + "setattr(a, 'b', 1)\n"
    files = {f"test_{number}.py": "" for number in range(19)}
    assert patching(seed("p", {**files, "test_x.py": patch, "helper.py": patch})) == []
    assert len(patching(seed("q", {**files, "test_x.py": patch, "conftest.py": patch * 2, "test_y.py": patch}))) == 3
