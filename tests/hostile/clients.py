"""The three clients, and how each one spells the same command."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.hostile.case import Case
from tests.hostile.names import FRONT, PASSWORD, REFERENCE, REFRESH_TOKEN, REPOSITORY, SERVER, USER

STALL = "2"
"""The stall timeout of ours here, in seconds; the default is 30."""
ZERO_USER = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True)
class Launch:
    """A process to start: arguments, standard input, and more variables."""

    argv: list[str]
    stdin: str
    variables: Mapping[str, str]


def ours(case: Case, digest: str, folder: Path, debug: bool) -> Launch:
    """Return `az acr artifact …`, with the wheel installed."""
    who, stdin = _who(case)
    argv = [sys.executable, "-m", "azure.cli", "acr", "artifact", *_ours(case, digest), *case.arguments]
    argv += [*(who if case.command != "logout" else []), *(["--debug"] if debug else [])]
    return Launch(argv, stdin, {"AZURE_ACRARTIFACT_STALL_TIMEOUT": STALL})


def _who(case: Case) -> tuple[list[str], str]:
    if case.identity in ("anonymous", "login", "admin", "environment"):
        return ["--auth-mode", case.identity], ""
    if case.identity == "refresh":
        return ["--username", ZERO_USER, "--password-stdin"], f"{REFRESH_TOKEN}\n"
    return ["--username", USER, "--password-stdin"], f"{PASSWORD}\n"


def _ours(case: Case, digest: str) -> list[str]:
    registry = ["--name", SERVER]
    table: dict[str, list[str]] = {
        "pull": ["pull", REFERENCE, "-d", "out"],
        "pull-digest": ["pull", f"{FRONT}@{digest}", "-d", "out"],
        "pull-index": ["pull", REFERENCE, "-d", "out", "--platform", "linux/amd64"],
        "pull-referrer": ["pull", REFERENCE, "-d", "out", "--referrer", "application/vnd.example.sbom"],
        "check": ["pull", REFERENCE, "-d", "out", "--check"],
        "push": ["push", REFERENCE, "--file", "input.txt:text/plain"],
        "push-folder": ["push", REFERENCE, "--file", "folder"],
        "attach": ["attach", REFERENCE, "--file", "input.txt", "--artifact-type", "application/vnd.example.sbom"],
        "show": ["show", REFERENCE],
        "raw": ["show", REFERENCE, "--raw"],
        "list": ["list", *registry, "--repository", REPOSITORY],
        "list-table": ["list", *registry, "--repository", REPOSITORY, "--output", "table"],
        "list-by-name": ["list", "--name", SERVER.partition(".")[0], "--repository", REPOSITORY],
        "repositories": ["list", *registry],
        "referrers": ["list-referrers", REFERENCE, "--recursive"],
        "delete": ["delete", REFERENCE, "--yes"],
        "tag": ["tag", REFERENCE, "--tags", "2.0"],
        "untag": ["untag", REFERENCE],
        "update": ["update", REFERENCE, "--write-enabled", "false"],
        "backup": ["backup", REFERENCE, "--destination", "out/saved"],
        "copy": ["copy", REFERENCE, "--to", f"{SERVER}/released/artifact:2.0"],
        "purge": ["purge", FRONT, "--ago", "1d", "--dry-run"],
        "purge-untagged": ["purge", FRONT, "--ago", "1d", "--untagged-only", "--include-referrers", "--yes"],
        "purge-filter": ["purge", *registry, "--ago", "1d", "--dry-run", "--filter", f"{REPOSITORY}:.*-dev-.*-x"],
        "show-table": ["show", REFERENCE, "--detail", "--output", "table"],
        "login": ["login", *registry],
        "check-access": ["check-access", *registry, "--repository", REPOSITORY],
    }
    return table[case.command]


def oras(case: Case, digest: str, folder: Path, debug: bool) -> Launch | None:
    """Return the command of oras 1.3.6; None if it has no such command."""
    if case.ours_only:
        return None
    table: dict[str, list[str]] = {
        "pull": ["pull", "-o", "out", REFERENCE],
        "pull-digest": ["pull", "-o", "out", f"{FRONT}@{digest}"],
        "pull-index": ["pull", "-o", "out", "--platform", "linux/amd64", REFERENCE],
        "push": ["push", REFERENCE, "input.txt:text/plain"],
        "push-folder": ["push", REFERENCE, "folder"],
        "attach": ["attach", "--artifact-type", "application/vnd.example.sbom", REFERENCE, "input.txt"],
        "show": ["manifest", "fetch", "--pretty", REFERENCE],
        "raw": ["manifest", "fetch", REFERENCE],
        "list": ["repo", "tags", FRONT],
        "list-table": ["repo", "tags", FRONT],
        "repositories": ["repo", "ls", SERVER],
        "referrers": ["discover", REFERENCE],
        "delete": ["manifest", "delete", "--force", REFERENCE],
        "tag": ["tag", REFERENCE, "2.0"],
        "login": ["login", SERVER],
        "backup": ["backup", "--output", "out/saved", REFERENCE],
    }
    if case.command not in table:
        return None
    if case.identity == "refresh":
        who, stdin = ["--identity-token-stdin"], REFRESH_TOKEN
    elif case.identity == "password":
        who, stdin = ["--username", USER, "--password-stdin"], PASSWORD
    else:
        who, stdin = [], ""
    return Launch(["oras", *table[case.command], *who, *(["--debug"] if debug else [])], stdin, {})


def regctl(case: Case, digest: str, folder: Path, debug: bool) -> Launch | None:
    """Return the command of regctl 0.11.7, with its sign-in in a file; None if it has no such command."""
    if case.ours_only or case.identity == "refresh":
        return None
    table: dict[str, list[str]] = {
        "pull": ["artifact", "get", "--output", "out", REFERENCE],
        "pull-digest": ["artifact", "get", "--output", "out", f"{FRONT}@{digest}"],
        "pull-index": ["artifact", "get", "--output", "out", "--platform", "linux/amd64", REFERENCE],
        "push": ["artifact", "put", "--artifact-type", "a/b", "--file", "input.txt", REFERENCE],
        "push-folder": ["artifact", "put", "--artifact-type", "a/b", "--file", "folder", REFERENCE],
        "attach": ["artifact", "put", "--artifact-type", "a/b", "--subject", REFERENCE, "--file", "input.txt"],
        "show": ["manifest", "get", REFERENCE],
        "raw": ["manifest", "get", "--format", "raw-body", REFERENCE],
        "list": ["tag", "ls", FRONT],
        "list-table": ["tag", "ls", FRONT],
        "repositories": ["repo", "ls", SERVER],
        "referrers": ["artifact", "list", REFERENCE],
        "delete": ["manifest", "delete", "--force-tag-dereference", REFERENCE],
        "untag": ["tag", "rm", REFERENCE],
    }
    if case.command not in table:
        return None
    login = {"user": USER, "pass": PASSWORD} if case.identity == "password" else {}
    config = folder / "config" / "regctl.json"
    config.write_text(json.dumps({"hosts": {SERVER: {"hostname": SERVER, "tls": "enabled", **login}}}))
    argv = ["regctl", *table[case.command], *(["--verbosity", "trace"] if debug else [])]
    return Launch(argv, "", {"REGCTL_CONFIG": str(config)})


CLIENTS = {"ours": ours, "oras": oras, "regctl": regctl}
