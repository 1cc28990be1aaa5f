"""The arguments of `pull`, `show` and `delete`."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext

from ..._validators import validate_raw, validate_stdout
from .options import CONCURRENCY, SEVERAL, flag, transfer_arguments, yes_argument
from .sign import trust_arguments
from .sign_in import artifact_arguments


def pull_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `pull`."""
    artifact_arguments(c)
    c.argument(
        "destination",
        options_list=["--destination", "-d"],
        help="The folder to write to. It is created if it does not exist. Default: the current folder.",
    )
    c.argument(
        "media_type",
        arg_type=SEVERAL,
        help="Pull only files of these space-separated media types; `*` matches any text.",
    )
    c.argument(
        "include",
        arg_type=SEVERAL,
        help="Pull only files that match these space-separated patterns, also in folders: `docs/*.md`. Syntax: as for "
        "--exclude.",
    )
    c.argument(
        "exclude",
        arg_type=SEVERAL,
        help="Do not pull files that match these space-separated patterns, also in folders. Syntax: as in .gitignore.",
    )
    c.argument("manifest_config", help="Also write the artifact's config to this path.")
    flag(c, "check", "Only compare the files on the disk with the artifact, and fail if one differs or is missing.")
    flag(c, "check_extra", "As --check, and also fail if a folder holds files that the artifact does not.")
    flag(c, "no_overwrite", "Fail before anything is written if a file or folder exists and differs.")
    c.argument(
        "stdout",
        action="store_true",
        help="Write one file to standard output, once it is downloaded and verified, instead of to a folder.",
        validator=validate_stdout,
    )
    c.argument(
        "max_unpacked_size",
        type=int,
        help="How many bytes a folder may unpack to. Default: 100 times its packed size, and at least 1 GiB.",
    )
    c.argument("referrer", metavar="TYPE", help="Pull the newest artifact of this type attached to the one named.")
    c.argument(
        "platform",
        help="The artifact of an index to pull, as OS/ARCHITECTURE[/VARIANT]. Default: the one for this machine.",
    )
    c.argument("concurrency", arg_type=CONCURRENCY)
    transfer_arguments(c)
    trust_arguments(c)


def show_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `show`."""
    artifact_arguments(c)
    # Azure CLI drops a parameter that is itself called `raw` (azure.cli.core.commands.EXCLUDED_PARAMS).
    c.argument(
        "raw_manifest",
        options_list=["--raw"],
        action="store_true",
        help="Write the manifest to standard output, byte for byte.",
        validator=validate_raw,
    )
    flag(
        c,
        "detail",
        "Also show the artifact's own locks, its subject, and how many artifacts of which type are attached to it.",
    )


def delete_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `delete`."""
    artifact_arguments(c)
    yes_argument(c)
    flag(c, "force", "Delete the artifact even if a tag is locked, or if a tagged index lists it and breaks.")
