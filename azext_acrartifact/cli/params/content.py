"""The arguments of `push` and `attach`: what goes into the artifact."""

from __future__ import annotations

from typing import Any

from knack.arguments import CLIArgumentType

from ..._validators import validate_sizes


def concurrency_type() -> CLIArgumentType:
    """--concurrency."""
    return CLIArgumentType(
        type=int,
        help="How many files are transferred at once. "
        "You can configure a default with `az config set acrartifact.concurrency=N`.",
        validator=validate_sizes,
    )


def content_arguments(c: Any, required_type: bool) -> None:
    """The arguments of `push` and `attach`; `_validators.gather_artifact` makes `content` of most of them."""
    from azure.cli.core.commands.parameters import get_enum_type

    c.ignore("content")
    c.extra(
        "files",
        options_list=["--file", "-f"],
        nargs="+",
        action="extend",
        help="Files and folders to push, each as PATH or PATH:TYPE, where TYPE is its media type. A folder is "
        "packed, and unpacked again by a pull. A path that holds a colon itself ends in one: `a:b:`. "
        "`-` is standard input, with --stdin-name; with a type it is written `--file=-:TYPE`.",
    )
    c.extra("stdin_name", metavar="FILE", help="The name in the artifact of what is read from standard input.")
    c.extra(
        "artifact_type",
        required=required_type,
        help="The type of the artifact, such as application/vnd.example.sbom.v1.",
    )
    c.extra(
        "manifest_config",
        help="A file for the artifact's config, as PATH or PATH:TYPE. `/dev/null` and `NUL` mean an empty one.",
    )
    c.extra("media_type", help="The media type of files that name none themselves.")
    c.extra(
        "annotations",
        options_list=["--annotation"],
        nargs="+",
        action="extend",
        help="Annotations of the artifact, each as KEY=VALUE.",
    )
    c.extra(
        "annotation_file",
        help="A JSON file of annotations: an object whose keys are `$manifest`, `$config` or the names of files.",
    )
    c.extra(
        "image_spec",
        arg_type=get_enum_type(["v1.0", "v1.1"]),
        help="The version of the OCI image specification to write.",
    )
    c.argument("tags", nargs="+", action="extend", help="More tags for the artifact.")
    c.argument(
        "dry_run",
        action="store_true",
        help="Only show what would be sent, and whether it may be: files are read and the registry is asked, and "
        "nothing is stored.",
    )
    c.extra(
        "exclude",
        nargs="+",
        action="extend",
        help="Patterns of what to leave out of folders, as in .gitignore: `*.log`, `**/node_modules`.",
    )
    c.extra(
        "split",
        action="store_true",
        help="Push each file of a folder as a layer of its own: none is sent again that has not changed.",
    )
    c.extra(
        "compression",
        arg_type=get_enum_type(["gzip", "zstd", "none"], default="gzip"),
        help="How folders are compressed. oras and `az acr build` unpack gzip alone.",
    )
    c.extra("empty", action="store_true", help="Push an artifact without files.")
    c.extra("concurrency", arg_type=concurrency_type())
