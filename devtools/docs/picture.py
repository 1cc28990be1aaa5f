"""Draw docs/terminal.svg: what a terminal shows while the commands of the README run on the local Azure.

tmux is the terminal. Its screen, with colors, becomes text in an SVG: a few kilobytes, sharp at any size, and readable
for those who use a screen reader or copy from it.
"""

from __future__ import annotations

import html
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from devtools import session, steps, wheel

PICTURE = steps.ROOT / "docs" / "terminal.svg"
COLUMNS, ROWS = 100, 60
LIMIT = 60
"""Seconds that one command may take."""
PROMPT = "$ "
ARTIFACT = f"{session.REGISTRY}.azurecr.io/samples/artifact:1.0"
TYPED = (
    'echo "Here is an artifact" > artifact.txt',
    f"az acr artifact push {ARTIFACT} --file artifact.txt --output none",
    f"az acr artifact show {ARTIFACT} --output table",
    f"az acr artifact pull {ARTIFACT} --destination out --output none",
    "cat out/artifact.txt",
    f"az acr artifact delete {ARTIFACT} --yes --output table",
)

_WIDTH, _HEIGHT, _MARGIN, _BAR = 8.4, 19, 16, 34
_STYLE = re.compile(r"\x1b\[([\d;]*)m")
_COLORS = {31: "#ff7b72", 32: "#7ee787", 33: "#e3b341", 34: "#79c0ff", 35: "#d2a8ff", 36: "#76e3ea", 90: "#8b949e"}
_PLAIN, _GROUND, _TYPED = "#e6edf3", "#0d1117", "#79c0ff"


def draw() -> Path:
    """Run the commands, write the picture and return its path; raise `steps.Failed` if one of them fails."""
    if shutil.which("tmux") is None:
        raise steps.Failed("The picture needs tmux. On Debian or Ubuntu: apt-get install tmux")
    steps.say("==> running the commands in tmux")
    with tempfile.TemporaryDirectory() as temporary, session.opened(Path(temporary)) as opened:
        login = opened.az(*" ".join(session.sign_in()).split(), "--output", "none")
        steps.must("az login", login, opened.variables)
        add = opened.az("extension", "add", "--source", str(wheel.build()), "--yes", "--only-show-errors")
        steps.must("az extension add", add, opened.variables)
        folder = opened.folder / "work"
        folder.mkdir()
        screen = _typed(folder, opened.variables)
    if "ERROR" in screen or temporary in screen:
        raise steps.Failed(f"A command failed, or showed a path of this machine:\n{screen}")
    PICTURE.write_text(svg(screen), encoding="utf-8", newline="\n")
    return PICTURE


def svg(screen: str) -> str:
    """Return a picture of *screen*, the lines of a terminal with their escape sequences for colors."""
    lines = screen.rstrip("\n").split("\n")
    width = round(COLUMNS * _WIDTH + 2 * _MARGIN)
    height = _BAR + len(lines) * _HEIGHT + _MARGIN
    texts = [text for row, line in enumerate(lines) for text in _line(line, _BAR + (row + 1) * _HEIGHT - 5)]
    dots = [f'<circle cx="{_MARGIN + 6 + 20 * n}" cy="17" r="6" fill="#30363d"/>' for n in range(3)]
    font = "ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace"
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
            f' font-family="{font}" font-size="14" role="img">',
            "<title>az acr artifact: push, show, pull and delete a file</title>",
            f'<rect width="{width}" height="{height}" rx="8" fill="{_GROUND}"/>',
            *dots,
            *texts,
            "</svg>",
            "",
        ]
    )


def _line(line: str, y: int) -> Iterator[str]:
    """Yield the texts of one *line*, each with its color and where it begins."""
    column, color = 0, _TYPED if line.startswith(PROMPT) else _PLAIN
    for number, part in enumerate(_STYLE.split(line)):
        if number % 2:
            codes = [int(code or 0) for code in part.split(";")]
            color = next((_COLORS[code] for code in codes if code in _COLORS), _PLAIN)
        elif part.strip():
            x = round(_MARGIN + (column + len(part) - len(part.lstrip())) * _WIDTH, 1)
            shown = part.strip()
            length = round(len(shown) * _WIDTH, 1)
            yield (
                f'<text x="{x}" y="{y}" fill="{color}" textLength="{length}" xml:space="preserve">'
                f"{html.escape(shown, quote=False)}</text>"
            )
        column += 0 if number % 2 else len(part)


def _typed(folder: Path, variables: Mapping[str, str]) -> str:
    """Type the commands into a shell in a new tmux, and return its screen after the last one."""
    socket = str(folder.parent / "tmux")
    tmux = ["tmux", "-S", socket, "-f", os.devnull]
    shell = {**variables, "PS1": PROMPT, "TERM": "xterm-256color"}
    start = ["new-session", "-d", "-x", str(COLUMNS), "-y", str(ROWS), "bash", "--norc", "--noprofile"]
    subprocess.run([*tmux, *start], cwd=folder, env=shell, check=True)
    try:
        _wait(tmux)
        for line in TYPED:
            subprocess.run([*tmux, "send-keys", "-l", line], check=True)
            subprocess.run([*tmux, "send-keys", "Enter"], check=True)
            _wait(tmux)
        lines = _screen(tmux, "-e").rstrip().split("\n")
    finally:
        subprocess.run([*tmux, "kill-server"], check=False)
    return "\n".join(lines[:-1])


def _wait(tmux: list[str]) -> None:
    """Wait for the next prompt."""
    end = time.monotonic() + LIMIT
    while time.monotonic() < end:
        time.sleep(0.2)
        if _screen(tmux).rstrip().split("\n")[-1] == PROMPT.strip():
            return
    raise steps.Failed(f"A command did not end within {LIMIT} s:\n{_screen(tmux)}")


def _screen(tmux: list[str], *options: str) -> str:
    argv = [*tmux, "capture-pane", "-p", *options]
    return str(subprocess.run(argv, capture_output=True, encoding="utf-8", check=True).stdout)
