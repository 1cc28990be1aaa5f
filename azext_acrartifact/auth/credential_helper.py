"""Docker's credential helpers: programs that store credentials in a keychain.

Protocol: https://github.com/docker/docker-credential-helpers#development. The program's standard input is a server's
name, or a JSON object for `store`. Secrets are never among its arguments. Its standard output may hold secrets, also
when it fails, so that only what it writes on standard error is shown.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

from ..errors import SignInError
from ..known_secrets import KNOWN

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = "credentials not found"
SUFFIXES = (".exe", ".cmd", ".bat") if sys.platform == "win32" else ("",)
"""The suffixes of programs on this system."""


@dataclass(frozen=True)
class CredentialHelper:
    """The helper *name*. It may ask its user to unlock the keychain, so it gets *timeout* seconds.

    Methods raise `SignInError`, which names the program, if it fails.
    """

    name: str
    timeout: float = 60.0

    @property
    def program(self) -> str:
        """The program's name."""
        return f"docker-credential-{self.name}"

    def get(self, server: str) -> tuple[str, str] | None:
        """Get the user name and secret for *server*, or None if there are none."""
        output = self._run("get", server, accept_missing=True)
        if output is None:
            return None
        try:
            found = json.loads(output)
            username, secret = str(found["Username"]), str(found["Secret"])
        except (ValueError, RecursionError, TypeError, KeyError) as error:
            raise self._failed("its output is not the protocol's") from error
        KNOWN.add(secret)
        return username, secret

    def store(self, server: str, username: str, secret: str) -> None:
        """Store the user name and secret for *server*."""
        KNOWN.add(secret)
        self._run("store", json.dumps({"ServerURL": server, "Username": username, "Secret": secret}))

    def erase(self, server: str) -> None:
        """Remove the secret for *server*. Does nothing if there is none."""
        self._run("erase", server, accept_missing=True)

    def _run(self, verb: str, text: str, accept_missing: bool = False) -> str | None:
        """Return the program's output; None for "not found", which is an error unless *accept_missing*."""
        path = find_program(self.program, os.get_exec_path()) if _NAME.fullmatch(self.name) else None
        if path is None:
            raise self._failed("it is not installed in an absolute folder of PATH other than the current one")
        try:
            done = subprocess.run(
                [path, verb],
                input=text,
                capture_output=True,
                encoding="utf-8",
                errors="replace",
                timeout=self.timeout,
                check=False,
                # Windows looks for a helper's own programs and libraries in the current folder too.
                cwd=os.path.dirname(path),
            )
        except subprocess.TimeoutExpired as error:
            raise self._failed(f"it did not end within {self.timeout:.0f} s") from error
        except OSError as error:
            raise self._failed(error.strerror or type(error).__name__) from error
        if done.returncode == 0:
            return done.stdout
        if accept_missing and _NOT_FOUND in (done.stdout + done.stderr).lower():
            return None
        raise self._failed(done.stderr.strip() or f"it ended with code {done.returncode}")

    def _failed(self, why: str) -> SignInError:
        return SignInError(
            "The credential helper failed",
            where=self.program,
            why=why,
            hint="Install or repair it, or remove credsStore and credHelpers from docker's config.json.",
        )


def find_program(name: str, folders: Sequence[str], suffixes: Sequence[str] = SUFFIXES) -> str | None:
    """Return the absolute path of the program *name* in the first of *folders* that has it.

    `shutil.which` and Windows look in the current folder first, and pulled files are there. So relative and empty
    entries, and the current folder itself, are skipped.
    """
    for folder in folders:
        if not os.path.isabs(folder) or _is_current(folder):
            continue
        for suffix in suffixes:
            path = os.path.join(folder, name + suffix)
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return path
    return None


def _is_current(folder: str) -> bool:
    try:
        return os.path.samefile(folder, os.curdir)
    except OSError:
        return False
