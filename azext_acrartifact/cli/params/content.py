"""The arguments of `push` and `attach`."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext, get_enum_type

from .options import CONCURRENCY, SEVERAL, flag, transfer_arguments
from .sign import sign_key_argument
from .sign_in import artifact_arguments
from .tag import tag_rules


def push_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `push`."""
    artifact_arguments(c)
    _content(c)
    _manifest(c, required_type=False)
    tag_rules(c)
    c.argument(
        "platform",
        help="Push the artifact for this platform (OS/ARCHITECTURE[/VARIANT]) into the index that the tag names. The "
        "index is created if it does not exist; its artifact for the same platform is replaced.",
    )
    flag(
        c,
        "mountable",
        "Push an artifact that is a container image as well, so that Kubernetes mounts it as an image volume. Files, "
        "and folders beside them, become one layer; folders alone one layer each.",
    )
    sign_key_argument(c)


def attach_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `attach`."""
    artifact_arguments(c)
    _content(c)
    _manifest(c, required_type=True)
    sign_key_argument(c)


def _content(c: AzArgumentContext) -> None:
    """Declare the files and their options; `_validators.gather_artifact` makes `content` of most of them."""
    c.ignore("content")
    c.extra(
        "files",
        options_list=["--file", "-f"],
        arg_type=SEVERAL,
        arg_group="Content",
        help="Space-separated files and folders to push, each as PATH or PATH:TYPE, where TYPE is its media type. They "
        "may also follow REFERENCE. A folder is packed, "
        "and pull unpacks it. Write a colon after a path that contains one: `a:b:`. `-` is standard input and "
        "needs --stdin-name; with a type, write `--file=-:TYPE`.",
    )
    c.extra(
        "stdin_name",
        metavar="FILE",
        arg_group="Content",
        help="The name of standard input (`--file -`) in the artifact.",
    )
    c.extra(
        "media_type",
        arg_group="Content",
        help="The media type of files without one of their own. Default: application/vnd.oci.image.layer.v1.tar for a "
        "file, as with oras, and the same with +gzip or +zstd for a folder.",
    )
    c.extra(
        "guess_media_type",
        action="store_true",
        arg_group="Content",
        help="Take the media type of files without one from their ends, such as .json, .yaml, .txt, .zip or .pdf.",
    )
    c.argument("tags", arg_type=SEVERAL, help="More tags for the artifact, space-separated.")
    flag(
        c,
        "dry_run",
        "Only show what would be uploaded, and check that the registry allows it. Files are read, and nothing is "
        "stored.",
    )
    c.extra(
        "exclude",
        arg_type=SEVERAL,
        arg_group="Content",
        help="Space-separated patterns of files to leave out of folders, as in .gitignore: `*.log`, `/build/`, "
        "`!keep.log`. A folder's own .artifactignore comes first; without that file, .git and .DS_Store are left out: "
        "`!.git` keeps .git.",
    )
    c.extra(
        "split",
        action="store_true",
        arg_group="Content",
        help="Push each file of a folder as a layer of its own, so that only changed files are uploaded again.",
    )
    c.extra(
        "compression",
        arg_type=get_enum_type(["gzip", "zstd", "none"], default="gzip"),
        arg_group="Content",
        help="The compression of folders. oras and `az acr build` can only unpack gzip.",
    )
    c.extra(
        "part_size",
        metavar="SIZE",
        arg_group="Content",
        help="Push files larger than SIZE, such as 64M or 1G, in parts of it: they go over several connections, and of "
        "a changed file only changed parts are sent again. `auto` is 256M, or what a very large file needs. pull makes "
        "one file of them; other tools and `az acr build` see the parts. Default: "
        "`az config set acrartifact.part_size=SIZE`, otherwise off.",
    )
    c.extra("empty", action="store_true", arg_group="Content", help="Push an artifact without files.")
    c.extra("concurrency", arg_type=CONCURRENCY)
    transfer_arguments(c)


def _manifest(c: AzArgumentContext, required_type: bool) -> None:
    """Declare the options about the artifact's manifest."""
    c.extra(
        "artifact_type",
        required=required_type,
        arg_group="Manifest",
        help="The type of the artifact, such as application/vnd.example.sbom.v1."
        + ("" if required_type else " Default: application/vnd.unknown.artifact.v1."),
    )
    c.extra(
        "manifest_config",
        arg_group="Manifest",
        help="A file for the artifact's config, as PATH or PATH:TYPE. `/dev/null` and `NUL` stand for an empty one.",
    )
    c.extra(
        "annotations",
        options_list=["--annotation"],
        arg_type=SEVERAL,
        arg_group="Manifest",
        help="Space-separated annotations of the artifact, each as KEY=VALUE.",
    )
    c.extra(
        "annotation_file",
        arg_group="Manifest",
        help="A JSON file of annotations: an object whose keys are `$manifest`, `$config` or names of files.",
    )
    c.extra(
        "image_spec",
        arg_type=get_enum_type(["v1.0", "v1.1"]),
        arg_group="Manifest",
        help="The version of the OCI image specification to write. Default: v1.0 with --manifest-config and without "
        "--artifact-type, otherwise v1.1.",
    )
