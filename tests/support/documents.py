"""The blocks of the documents, and how to run them.

Every block of the README and of docs/ is one of these: a script (`sh`, or inside `yaml`), the output of the script
before it (`output`, where `…` stands for anything), a file that a script reads (with a title), or a drawing (`text`).
A comment before a script says where it runs, `<!-- in: cloud shell -->`, or how it ends, `<!-- exit code: 3 -->`.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = ("sh", "yaml", "json", "output", "text")
LIMIT = 150
"""Seconds that one script may take."""

_FENCE = re.compile(
    r"(?P<notes>(?:^<!-- [^\n]* -->\n)*)^```(?P<language>\w*)(?: title=\"(?P<title>[^\"]+)\")?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_COMMAND = re.compile(r"^az ", re.MULTILINE)
_NOTE = re.compile(r"<!-- (in|exit code): (.+?) -->")


@dataclass(frozen=True)
class Block:
    """One fenced block of *document*, with its *notes* (`in`, `exit code`) and the line that it begins at."""

    document: Path
    line: int
    language: str
    title: str
    text: str
    notes: dict[str, str]

    @property
    def machine(self) -> str:
        """The machine or service where it runs; empty: a terminal, signed in, with the extension."""
        return self.notes.get("in", "")

    @property
    def scripts(self) -> list[str]:
        """The scripts in it: itself, or those in a pipeline."""
        if self.language == "sh":
            return [self.text]
        return list(_in_yaml(yaml.safe_load(self.text))) if self.language == "yaml" and not self.title else []

    def __str__(self) -> str:
        return f"{self.document.name}:{self.line}"


def blocks(document: Path) -> list[Block]:
    """Return the blocks of *document* in order."""
    text = document.read_text(encoding="utf-8")
    return [
        Block(
            document, text.count("\n", 0, match.start()) + 1, match["language"], match["title"] or "", match["text"],
            dict(_NOTE.findall(match["notes"])),
        )
        for match in _FENCE.finditer(text)
    ]  # fmt: skip


def fences(document: Path) -> int:
    """Return how many fenced blocks *document* has, counted without the expression that reads them."""
    return sum(line.lstrip().startswith("```") for line in document.read_text(encoding="utf-8").splitlines()) // 2


def _in_yaml(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _in_yaml(item)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("inlineScript", "run"):
                yield value
            else:
                yield from _in_yaml(value)


@dataclass
class Reader:
    """Somebody who reads a document and types what it says, in *folder*, with *variables*.

    *words* are what a reader replaces, such as `URL`.
    """

    folder: Path
    variables: Mapping[str, str]
    words: Mapping[str, str] = field(default_factory=dict)
    shown: str = ""
    """The output of the last script."""

    def follow(self, block: Block, variables: Mapping[str, str]) -> None:
        """Type *block*: run its scripts with *variables* besides, compare its output, or save it as a file."""
        if block.title:
            (self.folder / block.title).write_text(block.text, encoding="utf-8")
        elif block.language == "output":
            pattern = re.escape(block.text.strip()).replace("…", ".*")
            assert re.fullmatch(pattern, self.shown.strip(), re.DOTALL), f"{block} shows\n{self.shown}"
        for script in block.scripts:
            self._run(block, script, variables)

    def _run(self, block: Block, script: str, variables: Mapping[str, str]) -> None:
        for word, meaning in self.words.items():
            script = re.sub(rf"\b{word}\b", meaning, script)
        done = subprocess.run(
            ["bash", "-e", "-c", script], cwd=self.folder, env={**self.variables, **variables},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=LIMIT,
        )  # fmt: skip
        expected = int(block.notes.get("exit code", "0"))
        said = f"{block}: exit code {done.returncode}\n{script}\n{done.stdout}\n{done.stderr}"
        assert done.returncode == expected, said
        assert block.language != "yaml" or done.stderr == "", said
        assert expected or "ERROR" not in done.stderr, said
        self.shown = done.stdout + (done.stderr if expected else "")

    def parse(self, block: Block) -> None:
        """Require that Azure CLI parses the commands of *block*, up to the sign-in that nobody has."""
        variables = {**self.variables, "AZURE_CONFIG_DIR": str(self.folder.parent / "nobody")}
        done = subprocess.run(
            ["bash", "-c", block.text], cwd=self.folder, env=variables, stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=LIMIT,
        )  # fmt: skip
        assert done.stderr.count("az login") == len(_COMMAND.findall(block.text)), f"{block}\n{done.stderr}"


def write_program(folder: Path, name: str, text: str) -> Path:
    """Write the shell script *name* into *folder*, and return the folder."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text(f"#!/bin/sh\n{text}\n")
    (folder / name).chmod(0o755)
    return folder
