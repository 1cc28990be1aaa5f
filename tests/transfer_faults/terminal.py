"""A terminal for a command: tmux, whose screen can be read as it is."""

from __future__ import annotations

import contextlib
import shlex
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.transfer_faults.processes import OWNER, Processes

LIMIT = 60.0


@dataclass
class Terminal:
    """A tmux server with one window; *stream* has every byte that was written to it."""

    socket: Path
    stream: Path

    def tmux(self, *arguments: str) -> str:
        """Run `tmux ARGUMENTS`; return its output."""
        done = subprocess.run(
            ["tmux", "-S", str(self.socket), *arguments], capture_output=True, text=True, timeout=20, check=True
        )
        return done.stdout

    def screen(self) -> list[str]:
        """Return all lines, including those that have scrolled away."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p", "-S", "-").rstrip("\n").splitlines()]

    def visible(self) -> list[str]:
        """Return the visible lines."""
        return [line.rstrip() for line in self.tmux("capture-pane", "-p").rstrip("\n").splitlines()]

    def resize(self, columns: int) -> None:
        """Make it *columns* wide."""
        self.tmux("resize-window", "-x", str(columns))

    def until(self, seen: Callable[[list[str]], bool], look: Callable[[], list[str]] | None = None) -> list[str]:
        """Wait until *seen* accepts what *look* returns, by default all lines; return that. A look may come amid a
        redraw."""
        look, end = look or self.screen, time.monotonic() + LIMIT
        while not seen(screen := look()):
            assert time.monotonic() < end, "\n".join(screen)
            time.sleep(0.05)
        return screen

    def wait(self, text: str) -> list[str]:
        """Wait until *text* is on the screen; return the screen."""
        return self.until(lambda screen: any(text in line for line in screen))

    def redraws(self) -> int:
        """Return how often the bars have been drawn."""
        return self.stream.read_bytes().count(b"Total ")


@contextlib.contextmanager
def terminal(az: Processes, tmp: Path, columns: int, *arguments: str, **variables: str) -> Iterator[Terminal]:
    """Run `az acr artifact ARGUMENTS` in a terminal of *columns*; its last line is `ended CODE`."""
    assert OWNER is not None
    command = [
        sys.executable, "-m", "azure.cli", "acr", "artifact", *arguments,
        "--username", OWNER.client_id, "--password", OWNER.secrets[0], "--output", "none",
    ]  # fmt: skip
    shown = Terminal(tmp / "tmux.sock", tmp / "stream")
    script = tmp / "run.sh"
    exports = "".join(
        f"export {name}={shlex.quote(value)}\n" for name, value in {**az.environment, **variables}.items()
    )
    script.write_text(f"{exports}unset COLUMNS LINES\ncd {shlex.quote(str(az.folder))}\n"
                      f"read -r _\n{shlex.join(command)}\necho ended $?\nsleep 60\n")  # fmt: skip
    shown.tmux(
        "-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", "24", f"bash {shlex.quote(str(script))}"
    )
    try:
        shown.tmux("set-option", "-g", "history-limit", "20000")
        shown.tmux("set-option", "-g", "window-size", "manual")
        shown.tmux("pipe-pane", "-O", f"cat > {shlex.quote(str(shown.stream))}")
        shown.tmux("send-keys", "Enter")
        yield shown
    finally:
        subprocess.run(["tmux", "-S", str(shown.socket), "kill-server"], capture_output=True, timeout=20)
