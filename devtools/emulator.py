"""`dev.py emulator`: a local Azure for your own experiments."""

from __future__ import annotations

import os
import sys
import time

from devtools import session, steps, venv

STATE = steps.ROOT / ".emulator"
"""The folder of the emulator's registries and keys, and of az's settings, between runs."""


def settings(variables: dict[str, str]) -> list[str]:
    """Return the commands that set *variables* in this platform's shell."""
    form = 'set "{}={}"' if os.name == "nt" else "export {}='{}'"
    return [form.format(name, value) for name, value in sorted(variables.items())]


def main(_arguments: list[str]) -> int:
    """Start the emulator, print the variables that point to it, and serve until Ctrl-C."""
    with session.started(STATE) as emulator:
        steps.say("The local Azure is up. Set these variables in another terminal:\n")
        print("\n".join(settings({**emulator.environment(STATE / "azure"), **session.own_folders(STATE)})), flush=True)
        az = venv.OURS.scripts / "az"
        steps.say(f"\nThen sign in and use {session.REGISTRY}.azurecr.io:\n\n  {az} {' '.join(session.sign_in())}")
        steps.say("\nPress Ctrl-C to stop it. Its registries stay in .emulator for the next time.")
        while True:
            time.sleep(3600)


if __name__ == "__main__":
    sys.exit(steps.exit_code(main))
