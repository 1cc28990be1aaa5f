"""The functions of the commands: from arguments to an order, and from a result to JSON. `operations` do the work."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ._exception_handler import command
from .cli.arguments import ArtifactArgument, ContentArgument, LoginArgument, TrustArgument
from .cli.context import CommandContext

if TYPE_CHECKING:
    from .cli.naming import NamedReference
    from .operations.pull import PullOrder


@command
def push(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    content: ContentArgument,
    tags: list[str] | None = None,
    no_overwrite: bool = False,
    lock: bool = False,
    platform: str | None = None,
    dry_run: bool = False,
    mountable: bool = False,
    sign_key: str | None = None,
) -> dict[str, Any]:
    """Push files and folders as an artifact."""
    from .cli.naming import name_artifact
    from .cli.orders import push_order
    from .cli.output.json import push_output
    from .cli.session import open_session
    from .cli.signing import SignAfter
    from .operations.push import push as run
    from .operations.tag import TagRules

    named = name_artifact(cmd, artifact)
    rules = TagRules(not no_overwrite, lock)
    order = push_order(cmd, named.reference, content, tags or [], rules, platform, dry_run)
    signing = SignAfter(cmd, sign_key, order)
    with open_session(cmd, named, login) as session:
        order = replace(order, reference=session.reference, mountable=mountable)
        result = run(session.registry, order, session.progress)
        session.report("Would push" if dry_run else "Pushed", result.reference, result.manifest.digest)
        signing.sign(session, result.manifest.digest)
    return push_output(result)


@command
def pull(
    cmd: CommandContext,
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
    check_extra: bool = False,
    trust: TrustArgument | None = None,
) -> dict[str, Any] | None:
    """Pull an artifact's files and folders."""
    from .cli import local_paths
    from .cli.import_path import distrust
    from .cli.naming import name_artifact
    from .files.selection import Selection
    from .operations.platforms import parse_platform
    from .operations.pull import PullOrder

    named = name_artifact(cmd, artifact)
    destination = destination or os.curdir
    local_paths.require_folder(destination)
    local_paths.require_current_folder(manifest_config or destination)
    order = PullOrder(
        named.reference,
        destination,
        Selection.of(include or [], exclude or [], media_type or []),
        config_path=manifest_config,
        max_unpacked_size=max_unpacked_size,
        concurrency=cmd.concurrency(concurrency),
        referrer=referrer,
        platform=parse_platform(platform) if platform else None,
        overwrite=not no_overwrite,
        closed_folders=distrust(destination),
        check_extra=check_extra,
    )
    if not stdout:
        return _pull_or_check(cmd, named, login, order, check or check_extra, trust)
    _pull_to_stdout(cmd, named, login, order, trust)
    return None


def _pull_or_check(
    cmd: CommandContext,
    named: NamedReference,
    login: LoginArgument,
    order: PullOrder,
    check: bool,
    trust: TrustArgument | None,
) -> dict[str, Any]:
    from .cli.output.json import pull_output
    from .cli.session import open_session
    from .cli.signing import Verification
    from .operations.pull import pull as download
    from .operations.pull_check import check as compare

    run, verb = (compare, "Checked") if check else (download, "Pulled")
    verification = Verification(cmd, trust, referrer=order.referrer)
    with open_session(cmd, named, login) as session:
        result = run(session.registry, replace(order, reference=verification.of(session)), session.progress)
        session.report(verb, result.reference, result.manifest.digest)
    return pull_output(result)


def _pull_to_stdout(
    cmd: CommandContext, named: NamedReference, login: LoginArgument, order: PullOrder, trust: TrustArgument | None
) -> None:
    from .cli.output.raw_stdout import write_raw
    from .cli.session import open_session
    from .cli.signing import Verification
    from .operations.pull_stdout import read_one

    verification = Verification(cmd, trust, referrer=order.referrer)
    with open_session(cmd, named, login) as session:
        content = read_one(session.registry, replace(order, reference=verification.of(session)), session.progress)
    write_raw(content)


@command
def show(
    cmd: CommandContext,
    artifact: ArtifactArgument,
    login: LoginArgument,
    raw_manifest: bool = False,
    detail: bool = False,
) -> dict[str, Any] | None:
    """Show an artifact's properties, or its manifest."""
    import io

    from .cli.naming import name_artifact
    from .cli.output.json import show_output
    from .cli.output.raw_stdout import write_raw
    from .cli.session import open_session
    from .operations.show import show as run
    from .operations.show import show_raw

    with open_session(cmd, name_artifact(cmd, artifact), login) as session:
        if not raw_manifest:
            return show_output(run(session.registry, session.reference, detail))
        manifest = show_raw(session.registry, session.reference)
    write_raw(io.BytesIO(manifest))
    return None


@command
def delete(
    cmd: CommandContext, artifact: ArtifactArgument, login: LoginArgument, yes: bool = False, force: bool = False
) -> dict[str, Any]:
    """Delete an artifact, all its tags and everything attached to it."""
    from .cli.naming import name_artifact
    from .cli.output.confirm import asks, confirm, describe
    from .cli.output.json import deleted_output
    from .cli.session import open_session
    from .operations.delete import delete as run
    from .operations.delete import plan_delete, require_unprotected

    with open_session(cmd, name_artifact(cmd, artifact), login) as session:
        deletion = plan_delete(session.registry, session.reference, confirmed=not asks(cmd, yes), forced=force)
        if not force:
            require_unprotected(deletion)
        confirm(cmd, describe(deletion), yes)
        run(session.registry, deletion)
    return deleted_output(deletion)
