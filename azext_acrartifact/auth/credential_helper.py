"""Docker's credential helpers: programs that keep secrets in a keychain.

Protocol: https://github.com/docker/docker-credential-helpers#development. The program's standard input holds a
server's name, or for `store` a JSON object; secrets are never among its arguments.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess

from ..errors import SignInError

LIMIT = 60.0
"""Seconds that a helper may take: it may ask its user to unlock the keychain."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_NOT_FOUND = "credentials not found"


def program(helper: str) -> str:
    """The program's name."""
    return f"docker-credential-{helper}"


def get(helper: str, server: str) -> tuple[str, str] | None:
    """User name and secret for *server*, or None. `SignInError`, which names the helper, when it fails."""
    done = _run(helper, "get", server)
    if done.returncode != 0:
        if _NOT_FOUND in (done.stdout + done.stderr).lower():
            return None
        raise _failed(helper, _said(done))
    try:
        answer = json.loads(done.stdout)
        return str(answer["Username"]), str(answer["Secret"])
    except (ValueError, RecursionError, TypeError, KeyError) as error:
        raise _failed(helper, "its answer is not the protocol's") from error


def store(helper: str, server: str, username: str, secret: str) -> None:
    """Keep a secret. `SignInError` when the helper fails."""
    done = _run(helper, "store", json.dumps({"ServerURL": server, "Username": username, "Secret": secret}))
    if done.returncode != 0:
        raise _failed(helper, _said(done))


def erase(helper: str, server: str) -> None:
    """Forget the secret for *server*; one that is not there is no failure."""
    done = _run(helper, "erase", server)
    if done.returncode != 0 and _NOT_FOUND not in (done.stdout + done.stderr).lower():
        raise _failed(helper, _said(done))


def _run(helper: str, verb: str, text: str) -> subprocess.CompletedProcess[str]:
    path = shutil.which(program(helper)) if _NAME.fullmatch(helper) else None
    if path is None:
        raise _failed(helper, "it is not installed")
    try:
        return subprocess.run(
            [path, verb],
            input=text,
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=LIMIT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise _failed(helper, f"it did not end within {LIMIT:.0f} s") from error
    except OSError as error:
        raise _failed(helper, error.strerror or type(error).__name__) from error


def _said(done: subprocess.CompletedProcess[str]) -> str:
    return (done.stderr or done.stdout).strip() or f"it ended with code {done.returncode}"


def _failed(helper: str, why: str) -> SignInError:
    return SignInError(
        "The credential helper failed",
        where=program(helper),
        why=why,
        hint="Mend or install it, or take credsStore and credHelpers out of docker's config.json.",
    )
