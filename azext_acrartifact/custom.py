"""What each command does: arguments to an order, a result to JSON. The work is in `operations`."""

from __future__ import annotations

import functools
import io
from typing import Any

from ._exception_handler import reports
from .cli.arguments import ArtifactArgument, ContentArgument, LoginArgument
from .cli.session import at_registry, carry_out, transfer


@reports
def push(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    content: ContentArgument,
    tags: list[str] | None = None,
    no_overwrite: bool = False,
    lock: bool = False,
    platform: str | None = None,
    dry_run: bool = False,
) -> dict[str, Any]:
    """Push files and folders as an artifact."""
    from .cli.orders import push_order
    from .cli.output.json import push_output
    from .operations.push import push as run

    rules = (not no_overwrite, lock)
    order = functools.partial(push_order, cmd, content, tags or [], rules=rules, platform=platform, dry_run=dry_run)
    return push_output(transfer(cmd, artifact, login, order, run, "Would push" if dry_run else "Pushed"))


@reports
def pull(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    destination: str | None = None,
    media_type: list[str] | None = None,
    include: list[str] | None = None,
    exclude: list[str] | None = None,
    manifest_config: str | None = None,
    max_unpacked_size: int | None = None,
    concurrency: int | None = None,
    referrer: str | None = None,
    platform: str | None = None,
    check: bool = False,
    stdout: bool = False,
    no_overwrite: bool = False,
) -> dict[str, Any] | None:
    """Pull an artifact's files and folders."""
    from .cli.orders import pull_order
    from .cli.output.json import pull_output
    from .cli.output.raw_stdout import write_raw
    from .operations.pull import pull as fetch
    from .operations.pull_check import check as compare
    from .operations.pull_stdout import read_one

    wanted = (include or [], exclude or [], media_type or [])
    options = {"config_path": manifest_config, "max_unpacked_size": max_unpacked_size, "referrer": referrer}
    options |= {"concurrency": concurrency, "platform": platform, "overwrite": not no_overwrite}
    order = functools.partial(pull_order, cmd, destination, wanted, options)
    if stdout:
        write_raw(carry_out(cmd, artifact, login, order, read_one))
        return None
    if check:
        return pull_output(transfer(cmd, artifact, login, order, compare, "Checked"))
    return pull_output(transfer(cmd, artifact, login, order, fetch, "Pulled"))


@reports
def show(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    raw_manifest: bool = False,
    detail: bool = False,
) -> dict[str, Any] | None:
    """Show what an artifact is."""
    from .cli.output.json import show_output
    from .cli.output.raw_stdout import write_raw
    from .operations.show import show as run
    from .operations.show import show_raw

    if raw_manifest:
        write_raw(io.BytesIO(at_registry(cmd, artifact, login, show_raw)))
        return None
    return show_output(at_registry(cmd, artifact, login, functools.partial(run, detailed=detail)))


@reports
def delete(
    cmd: Any,
    artifact: ArtifactArgument,
    login: LoginArgument,
    yes: bool = False,
    force: bool = False,
) -> None:
    """Delete an artifact, all its tags and what is attached to it."""
    from .cli.output.confirm import asks, confirm, describe
    from .operations.delete import delete as run
    from .operations.delete import plan_delete, require_unprotected

    def act(registry: Any, found: Any) -> None:
        deletion = plan_delete(registry, found, confirmed=not asks(cmd, yes), forced=force)
        if not force:
            require_unprotected(deletion)
        confirm(cmd, describe(deletion), yes)
        run(registry, deletion)

    at_registry(cmd, artifact, login, act)
