"""Parse a Dockerfile: lines, instructions, flags, JSON forms, variables.

https://docs.docker.com/reference/dockerfile/
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

_DIRECTIVE = re.compile(r"#\s*(escape|syntax|check)\s*=\s*(\S+)", re.IGNORECASE)
_FLAG = re.compile(r"--([a-z]+)(?:=(\S*))?\s+")
_VARIABLE = re.compile(r"\\\$|\$(?:(?P<plain>\w+)|\{(?P<name>\w+)(?:(?P<operator>:[-+])(?P<word>[^}]*))?\})")
KNOWN = frozenset(
    {
        "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER",
        "ONBUILD", "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
    }
)  # fmt: skip


class DockerfileError(Exception):
    """An invalid Dockerfile; the text is the builder's."""


@dataclass(frozen=True)
class Instruction:
    """One instruction: its upper-case *name*, the *rest* after its flags, and its *original* line."""

    name: str
    rest: str
    flags: dict[str, str]
    original: str

    def words(self) -> list[str]:
        """Return the arguments: the strings of a JSON array, or the words of a shell line."""
        return self.json_form() or _split(self.rest, self.original)

    def json_form(self) -> list[str] | None:
        """Return the arguments if they are a JSON array of strings, or None."""
        if not self.rest.startswith("["):
            return None
        try:
            value = json.loads(self.rest)
        except ValueError:
            return None
        return value if isinstance(value, list) and all(isinstance(item, str) for item in value) else None

    def pairs(self) -> list[tuple[str, str]]:
        """Parse `NAME=value …` or the old `NAME value` form."""
        words = _split(self.rest, self.original)
        if not words:
            raise DockerfileError(f"{self.name} must have two arguments")
        if "=" not in words[0]:
            name, _, value = self.rest.partition(" ")
            return [(name, value.strip())]
        if missing := next((word for word in words if "=" not in word), None):
            raise DockerfileError(f'Syntax error - can\'t find = in "{missing}". Must be of the form: name=value')
        return [(word.partition("=")[0], word.partition("=")[2]) for word in words]


def parse(text: str) -> list[Instruction]:
    """Return the instructions of a Dockerfile; raise `DockerfileError`."""
    lines = text.removeprefix("\ufeff").splitlines()
    escape = _escape(lines)
    found = [_instruction(line) for line in _logical_lines(lines, escape)]
    if not found:
        raise DockerfileError("the Dockerfile cannot be empty")
    if not any(instruction.name == "FROM" for instruction in found):
        raise DockerfileError("no build stage in current context")
    return found


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace `$NAME`, `${NAME}`, `${NAME:-word}` and `${NAME:+word}`; `\\$` is a plain dollar."""

    def replace(match: re.Match[str]) -> str:
        if match[0] == "\\$":
            return "$"
        value = values.get(match["plain"] or match["name"], "")
        if match["operator"] == ":-":
            return value or str(match["word"])
        if match["operator"] == ":+":
            return str(match["word"]) if value else ""
        return value

    return _VARIABLE.sub(replace, text)


def _escape(lines: list[str]) -> str:
    # Parser directives come first, before any other comment or instruction.
    for line in lines:
        match = _DIRECTIVE.fullmatch(line.strip())
        if match is None:
            break
        if match[1].lower() == "escape":
            return match[2]
    return "\\"


def _logical_lines(lines: list[str], escape: str) -> list[str]:
    found: list[str] = []
    pending = ""
    for line in lines:
        stripped = line.strip()
        if not stripped or stripped.startswith("#"):
            continue
        if stripped.endswith(escape):
            pending += stripped[:-1]
            continue
        found.append(pending + stripped)
        pending = ""
    if pending.strip():
        found.append(pending.strip())
    return found


def _instruction(line: str) -> Instruction:
    word, _, rest = line.partition(" ")
    name, rest = word.upper(), rest.strip()
    if name not in KNOWN:
        raise DockerfileError(f"dockerfile parse error: unknown instruction: {name}")
    flags: dict[str, str] = {}
    while match := _FLAG.match(rest):
        flags[match[1]] = match[2] or ""
        rest = rest[match.end() :]
    if not rest:
        raise DockerfileError(f"dockerfile parse error: {name} requires at least one argument")
    return Instruction(name, rest, flags, line)


def _split(text: str, original: str) -> list[str]:
    try:
        return shlex.split(text.replace("\\$", "\\\\$"))
    except ValueError as error:
        raise DockerfileError(f"dockerfile parse error: {original}: {error}") from error
