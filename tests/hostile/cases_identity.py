"""What is run, and who is signed in: helpers in the current folder, and sign-ins that fail (R23, R24)."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.hostile.case import Case, Command
from tests.hostile.names import ACCESS_TOKEN
from tests.hostile.site import Site, as_json, error, on
from tests.hostile.wire import Response, Sent

TOKEN = "/oauth2/token"
HELPER = "docker-credential-planted"
PATHS = {"empty": ":{0}", "dot": ".:{0}", "relative": "out:../work:{0}", "last": "{0}:"}
"""Values of PATH that lead to the current folder; {0} is the system's own."""
SYSTEM = "/usr/bin:/bin"


def plant(folder: Path) -> None:
    """Put a credential helper where an artifact's files go, and let docker's configuration name it."""
    for name in ("work", "work/out"):
        helper = folder / name / HELPER
        helper.write_text("#!/bin/sh\necho pwned >../outside/pwned; echo pwned >../../outside/pwned; cat\n")
        helper.chmod(0o755)
    config = folder / "config" / "docker"
    config.mkdir()
    (config / "config.json").write_text(json.dumps({"credsStore": HELPER.removeprefix("docker-credential-")}))


def refuses_sign_ins() -> Callable[[], Site]:
    """Return a maker of a registry that refuses every sign-in, but gives a token without one."""

    def play(made: Site, sent: Sent) -> Response:
        signed = b"password=" in sent.body or b"refresh_token=" in sent.body
        if signed:
            return error(401, "UNAUTHORIZED", "the sign-in is not accepted")
        return as_json({"access_token": ACCESS_TOKEN})

    return on(TOKEN, play)


def refused(command: Command, name: str) -> Case:
    """Return a case in which the sign-in is refused and anonymous access would work."""
    does = "it refuses the sign-in, but gives a token for anonymous access"
    return Case(f"anonymous-after-{name}", "R24", does, refuses_sign_ins(), command=command, ours_only=True)


CASES = [
    *(
        Case(
            f"helper-{name}", "R23", "a credential helper lies in the current folder, which PATH names",
            Site, command="login", before=plant, variables={"PATH": path.format(SYSTEM)}, ours_only=True,
        )
        for name, path in PATHS.items()
    ),
    *(refused(command, command) for command in ("pull", "show", "list", "backup", "login")),
]  # fmt: skip
