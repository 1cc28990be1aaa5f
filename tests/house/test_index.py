"""The tree for the index of Azure CLI's extensions: what goes along, what stays, and what its checks find."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from devtools import index, index_checks, index_tests, index_tree, steps
from devtools import wheel as wheels
from tests.house.source import ROOT

# Each file of a small `tests`, with the text that goes along, or None if it stays.
FILES: dict[str, tuple[str, str | None]] = {
    "conftest.py": (
        "import pytest\nfrom acr_emulator.client import Emulator\n\n\n@pytest.fixture\ndef emulator():\n"
        "    return Emulator()\n\n\n@pytest.fixture\ndef plain():\n    return 1\n",
        "import pytest\n\n\n@pytest.fixture\ndef plain():\n    return 1\n",
    ),
    "unit/conftest.py": (
        "import pytest\n\n\n@pytest.fixture\ndef server(emulator):\n    return emulator\n",
        "import pytest\n",
    ),
    "unit/test_a.py": (
        "from tests.support.words import WORD\n\n\ndef test_it(plain):\n    assert WORD\n"
        "\n\ndef test_other(server):\n    pass\n",
        "from azext_acrartifact.tests.latest.support.words import WORD\n\n\ndef test_it(plain):\n    assert WORD\n",
    ),
    "unit/test_b.py": ("from tests.support.stock import stock\n\n\ndef test_it():\n    stock()\n", None),
    "unit/test_c.py": ("def test_it():\n    import devtools\n", None),
    "unit/bench/test_d.py": ("from bench import cases\n\n\ndef test_it():\n    cases\n", None),
    "support/words.py": ('WORD = "x"\n', 'WORD = "x"\n'),
    "support/stock.py": ("from acr_emulator.app import App\n\n\ndef stock():\n    return App()\n", None),
    "support/unused.py": ("WORD = 1\n", None),
    "functional/test_e.py": ("def test_it():\n    pass\n", None),
}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> index_checks.Tree:
    """Write the tree, with a wheel, as the checks find it."""
    settings = tmp_path_factory.mktemp("settings")
    index_tree.write(settings / "root")
    wheels.build(settings / "dist")
    return index_checks.Tree(settings / "root", settings, {})


def test_a_test_that_needs_the_emulator_stays(tmp_path: Path) -> None:
    for name, (text, _) in FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    assert index_tests.chosen(tmp_path) == {name: text for name, (_, text) in FILES.items() if text is not None}


def test_most_unit_tests_go_along() -> None:
    chosen = index_tests.chosen()
    assert len([name for name in chosen if "/test_" in name]) > 100
    assert not [name for name, text in chosen.items() if "from acr_emulator" in text or "from tests." in text]


def test_the_tree_is_that_of_an_extension(tree: index_checks.Tree) -> None:
    assert {path.name for path in tree.folder.iterdir()} == {
        "setup.py", "README.md", "HISTORY.rst", "linter_exclusions.yml", "azext_acrartifact"
    }  # fmt: skip
    for path in tree.folder.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        assert not text or text.startswith(index_tree.HEADER)
    assert "extras_require" not in (tree.folder / "setup.py").read_text()
    folders = {path.parent for path in (tree.folder / "azext_acrartifact" / "tests").rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


def test_a_clone_keeps_its_own_lines(tmp_path: Path) -> None:
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github" / "CODEOWNERS").write_text("/src/other/ @other\n\n/src/acrartifact/ @before\n")
    (tmp_path / "src").mkdir()
    names = '[\n  {"Command": "az acr", "AzureServiceName": "Container Registry", "URL": ""}\n]\n'
    (tmp_path / "src" / "service_name.json").write_text(names)
    index_tree.write(tmp_path, "@octocat")
    owners = (tmp_path / ".github" / "CODEOWNERS").read_text()
    assert owners == "/src/other/ @other\n\n/src/acrartifact/ @octocat\n"
    assert (tmp_path / "src" / "service_name.json").read_text() == names


CHECKS_OFF = {
    "x = 1\n": "",
    "class A:\n    pass\n": index_tree._CLASS_CHECKS,
    "def f(a, b, c, d, e, f):\n    pass\n": index_tree._CALL_CHECKS,
    "x = y[a + 1 : b]\n": index_tree._FLAKE8_CHECKS,
}


@pytest.mark.parametrize("text", CHECKS_OFF)
def test_only_a_file_that_needs_it_turns_a_check_off(text: str) -> None:
    expected = f"{CHECKS_OFF[text]}\n" if CHECKS_OFF[text] else ""
    assert index_tree.with_header(text) == f"{index_tree.HEADER}{expected}\n{text}"


def test_the_quick_checks_pass(tree: index_checks.Tree) -> None:
    for check in (index_checks.summary, index_checks.history, index_checks.registered):
        assert index_checks.outcome(lambda check=check: check(tree)) == ""


def test_what_is_missing_is_found(tree: index_checks.Tree, tmp_path: Path) -> None:
    index_tree.write(tmp_path)
    (tmp_path / index_tree.CODEOWNERS).write_text("/src/other/ @other\n")
    (tmp_path / index_tree.SERVICE_NAMES).write_text(json.dumps([{"Command": "az aks"}]))
    (tmp_path / index_tree.EXTENSION / "HISTORY.rst").write_text(
        "Release History\n===============\n\n0.0.1\n+++++\n* x\n"
    )
    other = dataclasses.replace(tree, root=tmp_path)
    assert index_checks.outcome(lambda: index_checks.registered(other)) == (
        "CODEOWNERS has no line of ours\nservice_name.json has no az acr"
    )
    assert index_checks.outcome(lambda: index_checks.history(other)) == "it begins with '0.0.1'"
    assert "exit code 3" in index_checks.outcome(lambda: other.run("sh", "-c", "exit 3"))


def test_a_person_learns_what_remains() -> None:
    nobody = list(index.remaining(index_tree.NO_OWNER, "x@example.invalid", None))
    somebody = list(index.remaining("@octocat", "x@example.com", ROOT))
    assert [line for line in nobody if "--owner" in line or "author_email" in line or "--baseline" in line]
    assert not [line for line in somebody if "--owner" in line or "author_email" in line or "--baseline" in line]
    assert len(nobody) > len(somebody) > 2


def test_a_broken_step_is_an_unmet_requirement() -> None:
    def fails() -> None:
        raise steps.Failed("no")

    assert index_checks.outcome(fails) == "no"
