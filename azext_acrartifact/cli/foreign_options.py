"""Options of other tools, and misspelt ones, with what to type instead. Azure CLI's parser only says that it does not
know them."""

from __future__ import annotations

import difflib
from collections.abc import Collection

_NO_INSECURE = "Leave it out. For a proxy's certificates: set REQUESTS_CA_BUNDLE."
_REPLACED = "Leave it out: what differs is replaced unless --no-overwrite is given."
_NO_GROUP = "Leave it out: the name of a registry is enough."
_UNPACKED = "Leave it out: folders are unpacked."
_OTHER_TAG = "Write the tag after the repository: REPOSITORY:TAG."
_MEANT: dict[str, tuple[str, ...]] = {
    "--all-tags": ("Leave it out: without a tag, all tagged artifacts are taken.",),
    "--allow-path-traversal": ("Leave it out: no file is written outside of --destination.",),
    "--artifact": ("--file", "--image"),
    "--authfile": ("Set DOCKER_CONFIG to the folder of config.json.",),
    "--config": ("--manifest-config",),
    "--dest": ("--destination", "--to"),
    "--digest": ("Write the digest after the repository: REPOSITORY@sha256:DIGEST.",),
    "--directory": ("--destination", "--source", "--file"),
    "--disable-path-validation": ("Leave it out: a file outside of the current folder keeps its last name.",),
    "--export-manifest": ("Leave it out. To get the manifest: az acr artifact show REFERENCE --raw",),
    "--files": ("--file", "--include"),
    "--folder": ("--file", "--destination", "--source"),
    "--force": (_REPLACED,),
    "--format": ("--output",),
    "--from": ("--source", "Write what to copy as REFERENCE: SERVER/REPOSITORY:TAG."),
    "--from-oci-layout": ("Use az acr artifact restore REFERENCE --source LAYOUT.",),
    "--file": ("--include", "--source"),
    "--insecure": (_NO_INSECURE,),
    "--keep-old-files": ("--no-overwrite",),
    "--lock": ("--write-enabled false",),
    "--manifest": ("--raw", "--image"),
    "--no-tty": ("Leave it out: without a terminal, nothing but the result is written.",),
    "--output-dir": ("--destination",),
    "--overwrite": (_REPLACED,),
    "--path": ("--file", "--destination", "--source"),
    "--plain-http": ("Leave it out: only registries on this machine are asked without TLS.",),
    "--quiet": ("--only-show-errors",),
    "--registry-config": ("Set DOCKER_CONFIG to the folder of config.json.",),
    "--repository": ("--image",),
    "--resource-group": (_NO_GROUP,),
    "--tag": ("--tags", _OTHER_TAG),
    "--target": ("--to", "--destination"),
    "--tls-verify": (_NO_INSECURE,),
    "--to-oci-layout": ("Use az acr artifact backup REFERENCE --destination LAYOUT.",),
    "--type": ("--artifact-type", "--media-type"),
    "--unlock": ("--write-enabled true",),
    "--untar": (_UNPACKED,),
    "--untarred": (_UNPACKED,),
    "--version": (_OTHER_TAG,),
    "-a": ("--annotation",),
    "-f": ("--include", "--source"),
    "-g": (_NO_GROUP,),
    "-k": ("--no-overwrite", _NO_INSECURE),
    "-q": ("--only-show-errors",),
    "-v": ("--verbose",),
}
"""What may be meant by an option of oras, docker, helm, skopeo or of another `az` command: options, of which the first
that the command has is named, or a text."""
_ALIKE = 0.75
"""The likeness from which a misspelt option is taken for another, as `difflib` counts it."""


def meant_by(name: str, options: Collection[str]) -> str | None:
    """Return what to type instead of the option *name*, which is none of *options*; None if that is not known."""
    for meant in _MEANT.get(name, ()):
        if not meant.startswith("--"):
            return meant
        if meant.partition(" ")[0] in options:
            return f"Type {meant}."
    alike = difflib.get_close_matches(name, options, 1, _ALIKE) if name.startswith("--") else []
    return f"Type {alike[0]}." if alike else None
