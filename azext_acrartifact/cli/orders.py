"""What was typed after `push`, `pull`, `attach` and `copy`, as an order."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ..errors import InvalidInputError
from .arguments import ContentArgument
from .session import concurrency_of, journal_folder

if TYPE_CHECKING:
    from ..operations.inputs import Stdin


def push_order(
    cmd: Any,
    content: ContentArgument,
    tags: Sequence[str],
    reference: Any,
    rules: tuple[bool, bool] = (True, False),
    platform: str | None = None,
    dry_run: bool = False,
) -> Any:
    """The `PushOrder` of *content* for *reference*; raises `InvalidInputError` for what cannot be right."""
    from ..oci.reference import check_tag
    from ..operations.annotations import collect_annotations
    from ..operations.file_spec import parse_file_spec
    from ..operations.platforms import parse_platform
    from ..operations.push import PushOrder
    from ..operations.tag import TagRules

    specs = [parse_file_spec(text) for text in content.files or []]
    return PushOrder(
        reference,
        specs,
        config=parse_file_spec(content.manifest_config) if content.manifest_config else None,
        artifact_type=content.artifact_type,
        media_type=content.media_type,
        image_spec=content.image_spec,
        annotations=collect_annotations(content.annotations or [], content.annotation_file),
        tags=[check_tag(tag) for tag in tags],
        exclude=content.exclude or [],
        split=content.split,
        allow_empty=content.empty,
        compression=content.compression,
        concurrency=concurrency_of(cmd, content.concurrency),
        journal_folder=journal_folder(cmd),
        rules=TagRules(*rules),
        platform=parse_platform(platform) if platform else None,
        stdin=_stdin(content.stdin_name, [spec.path for spec in specs]),
        dry_run=dry_run,
    )


def pull_order(
    cmd: Any,
    destination: str | None,
    wanted: tuple[Sequence[str], Sequence[str], Sequence[str]],
    options: Mapping[str, Any],
    reference: Any,
) -> Any:
    """The `PullOrder` for *reference*, with *options* as its fields; *wanted* are the patterns to include and to
    exclude, and media types. Raises `InvalidInputError` for what cannot be right."""
    from ..files.globs import Selection
    from ..operations.platforms import parse_platform
    from ..operations.pull import PullOrder

    fields = dict(options)
    fields["concurrency"] = concurrency_of(cmd, fields["concurrency"])
    fields["platform"] = parse_platform(fields["platform"]) if fields["platform"] else None
    return PullOrder(reference, destination or os.curdir, Selection.of(*wanted), **fields)


def copy_order(
    cmd: Any,
    tags: Sequence[str],
    platform: str | None,
    concurrency: int | None,
    options: Mapping[str, Any],
    source: Any,
    target: Any,
) -> Any:
    """The `CopyOrder` from *source* to *target*, with *options* as its fields; raises `InvalidInputError`."""
    from ..oci.reference import check_tag
    from ..operations.copy import CopyOrder
    from ..operations.platforms import parse_platform

    return CopyOrder(
        source,
        target,
        [check_tag(tag) for tag in tags],
        platform=parse_platform(platform) if platform else None,
        concurrency=concurrency_of(cmd, concurrency),
        journal_folder=journal_folder(cmd),
        **options,
    )


def _stdin(name: str | None, paths: Sequence[str]) -> Stdin | None:
    from ..operations.file_spec import STDIN
    from ..operations.inputs import Stdin

    if STDIN not in paths:
        if name:
            raise InvalidInputError("A name for standard input, which is not pushed", hint="Give --file - as well.")
        return None
    if not name:
        raise InvalidInputError("Standard input has no name in the artifact", hint="Give --stdin-name FILE.")
    return Stdin(sys.stdin.buffer, name)
