"""`dev.py emulator`: a local Azure for whatever you like to run against it."""

from __future__ import annotations

import os
import sys
import time

from devtools import session, steps, venv

STATE = steps.ROOT / ".emulator"
"""Where the emulator keeps its registries, keys and az's settings between runs."""


def settings(variables: dict[str, str]) -> list[str]:
    """*variables* as lines that this platform's shell takes."""
    form = 'set "{}={}"' if os.name == "nt" else "export {}='{}'"
    return [form.format(name, value) for name, value in sorted(variables.items())]


def main(_arguments: list[str]) -> int:
    """Start the emulator, print the settings that lead there, and serve until Ctrl-C."""
    with session.started(STATE) as emulator:
        steps.say("The local Azure is up. Its settings, for another terminal:\n")
        print("\n".join(settings({**emulator.environment(STATE / "azure"), **session.kept_in(STATE)})), flush=True)
        az = venv.scripts() / "az"
        steps.say(f"\nThen sign in, and use {session.REGISTRY}.azurecr.io:\n\n  {az} {' '.join(session.sign_in())}")
        steps.say("\nCtrl-C ends it; what you pushed stays in .emulator.")
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
