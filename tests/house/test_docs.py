"""The documentation site: its pages, its reference, the picture, and the pages that help texts name."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import yaml

from devtools.docs import check, pages, picture, reference
from tests.house.source import ROOT

KNOWN = {"README.md": "index.md", "docs/a.md": "a.md", "docs/decisions/0001-x.md": "decisions/0001-x.md"}


def help_texts() -> dict[str, str]:
    """Return the help of each command, read from the source: importing it would fill knack's table."""
    tree = ast.parse((ROOT / "azext_acrartifact" / "_help.py").read_text(encoding="utf-8"))
    return {
        node.targets[0].slice.value: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Subscript)
        and isinstance(node.targets[0].slice, ast.Constant)
        and isinstance(node.value, ast.Constant)
    }


def test_every_help_text_names_its_page() -> None:
    texts = help_texts()
    assert len(texts) > 15
    for command, text in texts.items():
        named = re.findall(r"\bdocs/[\w-]+\.md\b", yaml.safe_load(text)["long-summary"])
        assert named, command
        assert [name for name in named if not (ROOT / name).is_file()] == [], command


def test_every_document_is_in_the_navigation() -> None:
    nav = str(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])
    wanted = [page for page in pages.documents().values() if not page.startswith("decisions/")]
    assert len(wanted) > 15
    assert [page for page in wanted if f"'{page}'" not in nav] == []


def test_links_among_documents_lead_to_their_pages() -> None:
    block = "```sh\n`docs/a.md`\n```\n"
    text = "[a](docs/a.md#x) `docs/a.md` [o](https://h/docs/a.md) `src/b.py` [`docs/a.md`](docs/a.md)\n"
    assert pages.linked(text + block, "README.md", KNOWN) == (
        "[a](a.md#x) [`docs/a.md`](a.md) [o](https://h/docs/a.md) `src/b.py` [`docs/a.md`](a.md)\n" + block
    )
    assert pages.linked("[r](../../README.md) `docs/a.md`", "docs/decisions/0001-x.md", KNOWN) == (
        "[r](../index.md) [`docs/a.md`](../a.md)"
    )


def test_a_folder_in_the_navigation_stands_for_its_pages(tmp_path: Path) -> None:
    for name in ("index.md", "b.md", "a.md"):
        (tmp_path / "c").mkdir(exist_ok=True)
        (tmp_path / "c" / name).touch()
    nav: list[dict[str, Any]] = [{"X": [{"C": "c/"}, {"D": "d.md"}]}]
    assert pages.navigation(nav, tmp_path) == [{"X": [{"C": ["c/index.md", "c/a.md", "c/b.md"]}, {"D": "d.md"}]}]


def test_a_page_of_the_reference_has_what_the_help_has() -> None:
    summary = "Tags | *all*, `a|b`. See docs/a.md."
    argument = {
        "names": "--tags -t",
        "group": "",
        "required": True,
        "summary": summary,
        "choices": ["x"],
        "default": "d",
    }
    shared = {**argument, "names": "--debug", "group": "Global Arguments"}
    example = {"name": "Do it.", "text": "az acr artifact tag R --tags t " + "word " * 20}
    command = {"command": "acr artifact tag", "summary": "Add tags.", "more": "See docs/a.md.", "examples": [example],
               "arguments": [{**shared, "default": None}, argument]}  # fmt: skip
    group = {**command, "command": "acr artifact", "arguments": []}
    (_, index), (name, page) = reference.pages([group, command])
    assert "| [tag](tag.md) | Add tags. |" in index
    assert "| `--debug` |" in index
    assert "--debug" not in page
    row = r"| `--tags` `-t` | **Required.** Tags \| \*all\*, `a|b`. See `docs/a.md`. Values: `x`. Default: `d`. |"
    assert name == "tag"
    assert row in page
    lines = page.split("```")[1].splitlines()
    assert all(len(line) < 100 for line in lines)
    assert all(line.endswith(" \\") for line in lines[1:-1])


def test_a_screen_becomes_text_in_its_colors() -> None:
    root = ElementTree.fromstring(picture.svg("$ az a\n\x1b[32mDone\x1b[0m  <b>\n"))
    texts = [(text.text, text.get("fill"), text.get("x")) for text in root.iter() if text.tag.endswith("}text")]
    assert texts == [("$ az a", "#79c0ff", "16.0"), ("Done", "#7ee787", "16.0"), ("<b>", "#e6edf3", "66.4")]


def test_the_picture_is_small_and_of_the_commands_that_are_typed() -> None:
    text = picture.PICTURE.read_text(encoding="utf-8")
    assert len(text) < 20_000
    assert text.count(">$ ") == len(picture.TYPED)
    assert "ERROR" not in text


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.html").touch()
    (tmp_path / "b c.html").touch()
    a, b = (tmp_path / "a.html").as_uri(), (tmp_path / "b c.html").as_uri()
    links = {a: {"#x", f"{b}#y", f"{b}#z", b, "https://example.com", f"{a}.gone"}, b: {"#y", f"{a}#x"}}
    assert check.broken(links) == [f"{a}: {a}.gone leads nowhere", f"{a}: there is no #z in b c.html"]
