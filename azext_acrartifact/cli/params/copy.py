"""The arguments of `copy`."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext

from .. import completion
from .options import CONCURRENCY, SEVERAL, flag, no_overwrite_argument, transfer_arguments
from .sign import trust_arguments
from .sign_in import artifact_arguments, target_credential_arguments


def copy_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `copy`; `_validators.gather_artifact` makes `target` of those that begin with `--to`."""
    artifact_arguments(c)
    c.ignore("target")
    c.extra(
        "to",
        options_list=["--to"],
        required=True,
        help="The target, as SERVER/REPOSITORY:TAG, or with --to-name as REPOSITORY:TAG. Without a tag, the copy can "
        "be found by its digest only.",
        completer=completion.TARGET,
    )
    c.extra(
        "to_name",
        options_list=["--to-name"],
        help="The name or login server of the registry to copy to.",
        completer=completion.REGISTRY,
    )
    c.argument("tags", arg_type=SEVERAL, help="More tags for the copy, space-separated.")
    flag(c, "recursive", "Also copy everything attached to the artifact, directly or through other artifacts.")
    c.argument(
        "platform",
        help="Copy only the artifact for this platform (OS/ARCHITECTURE[/VARIANT]) out of an index. The tag then names "
        "that artifact. Default: the whole index.",
    )
    flag(c, "dry_run", "Only show what would be copied, and how.")
    no_overwrite_argument(c)
    c.argument("concurrency", arg_type=CONCURRENCY)
    transfer_arguments(c)
    target_credential_arguments(c)
    trust_arguments(c)
