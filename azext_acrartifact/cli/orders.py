"""The order of `push` and `attach`, from what was typed."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from ..errors import InvalidInputError
from ..oci.reference import Reference
from ..operations.annotations import collect_annotations
from ..operations.file_spec import STDIN, parse_file_spec
from ..operations.inputs import Stdin
from ..operations.part_size import parse_part_size
from ..operations.platforms import parse_platform
from ..operations.push import PushOrder
from ..operations.tag import TagRules
from .arguments import ContentArgument
from .context import CommandContext, where_set
from .local_paths import file_specs
from .naming import check_tags
from .output.streams import was_closed

if TYPE_CHECKING:
    from ..signing.signer import SignatureForm

LEAST_EXPIRY, MOST_EXPIRY = timedelta(seconds=1), timedelta(days=36500)


def push_order(
    cmd: CommandContext,
    reference: Reference,
    content: ContentArgument,
    tags: Sequence[str],
    rules: TagRules | None = None,
    platform: str | None = None,
    dry_run: bool = False,
) -> PushOrder:
    """Return the order to push *content* to *reference*. Raises `InvalidInputError`, and `LocalFileError` for the file
    of annotations, which is read here."""
    specs = file_specs(content.files or [])
    return PushOrder(
        reference,
        specs,
        config=parse_file_spec(content.manifest_config) if content.manifest_config else None,
        artifact_type=content.artifact_type,
        media_type=content.media_type,
        guess_types=content.guess_media_type,
        image_spec=content.image_spec,
        annotations=collect_annotations(content.annotations or [], content.annotation_file),
        tags=check_tags(tags),
        exclude=content.exclude or [],
        split=content.split,
        allow_empty=content.empty,
        compression=content.compression,
        concurrency=cmd.concurrency(content.concurrency),
        sessions_folder=cmd.uploads_folder,
        rules=rules or TagRules(),
        platform=parse_platform(platform) if platform else None,
        stdin=_stdin(content.stdin_name, [spec.path for spec in specs]),
        dry_run=dry_run,
        part_size=_part_size(cmd, content.part_size),
    )


def signature_form(kind: str, expiry: str | None, user_metadata: Sequence[str]) -> SignatureForm:
    """Return the form of a signature. Raises `InvalidInputError`."""
    from ..operations.purge_filters import parse_age
    from ..signing.signer import SignatureForm

    age = parse_age(expiry) if expiry else None
    if age is not None and not LEAST_EXPIRY <= age <= MOST_EXPIRY:
        raise InvalidInputError(
            "Not a time until a signature expires", where=expiry or "", hint="Give 1 s to 36500 days."
        )
    return SignatureForm(kind, age, collect_annotations(user_metadata, None).manifest)


def _part_size(cmd: CommandContext, typed: str | None) -> int | None:
    if typed is not None:
        return parse_part_size(typed, f"--part-size {typed}")
    configured = cmd.setting("acrartifact", "part_size")
    where = f"{where_set(cmd.cli_ctx, 'acrartifact', 'part_size')}={configured}"
    return parse_part_size(configured, where) if configured else None


def _stdin(name: str | None, paths: Sequence[str]) -> Stdin | None:
    if STDIN not in paths:
        if name:
            raise InvalidInputError("--stdin-name needs --file -", hint="Give --file - as well.")
        return None
    if not name:
        raise InvalidInputError("--file - needs --stdin-name", hint="Give --stdin-name FILE, its name in the artifact.")
    if was_closed(sys.stdin):
        raise InvalidInputError("Standard input is closed", hint="Give the path of a file, or pipe the content in.")
    return Stdin(sys.stdin.buffer, name)
