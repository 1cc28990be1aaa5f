"""The arguments of `sign` and `verify`, and those by which other commands sign and verify."""

from __future__ import annotations

from azure.cli.core.commands.parameters import AzArgumentContext, get_enum_type

from ..._validators import gather_signed
from .. import completion
from .options import SEVERAL, flag
from .sign_in import artifact_arguments

FORMATS = ("jws", "cose")
_KEY = "https://VAULT.vault.azure.net/keys/NAME or …/certificates/NAME, with /VERSION for another than the newest one"


def sign_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `sign`; `_validators.gather_signed` makes `signing` of those about the key."""
    artifact_arguments(c, gather_signed)
    c.positional(
        "artifact",
        nargs="*",
        metavar="REFERENCE",
        help="The space-separated artifacts, each as SERVER/REPOSITORY:TAG or SERVER/REPOSITORY@DIGEST (12 digits are "
        "enough). Instead, give --name and --image.",
        validator=gather_signed,
        completer=completion.REFERENCE,
    )
    c.extra("image", options_list=["--image", "-t"], arg_type=SEVERAL, help="The space-separated artifacts in the "
            "registry, each as REPOSITORY:TAG or REPOSITORY@DIGEST.", completer=completion.IMAGE)  # fmt: skip
    c.ignore("signing")
    c.extra("key", metavar="ID", help=f"The key or certificate in a Key Vault: {_KEY}.")
    c.extra("key_file", help="A private key as PEM, on a machine without a Key Vault. Needs --certificate-file.")
    c.extra(
        "certificate_file",
        help="The key's certificates as PEM: its own first, the root last. Default for --key: those in the vault.",
    )
    c.argument("signature_format", arg_type=get_enum_type(FORMATS), help="The format of the signature.")
    c.argument("expiry", metavar="AGE", help="How long the signature is valid: `90d`, `12h`. Default: for ever.")
    c.argument("user_metadata", arg_type=SEVERAL, help="Space-separated texts to sign in addition, each as KEY=VALUE.")
    flag(c, "dry_run", "Only check the key, its certificate and the permissions.")


def verify_arguments(c: AzArgumentContext) -> None:
    """Declare the arguments of `verify`."""
    artifact_arguments(c)
    _trusted(c)


def trust_arguments(c: AzArgumentContext) -> None:
    """Declare --verify for a command that first verifies what it uses."""
    c.extra(
        "verify",
        action="store_true",
        arg_group="Signature",
        help="First verify the artifact's signature, and do nothing without one that is trusted. To always do that: "
        "az config set acrartifact.verify=always",
    )
    _trusted(c)


def sign_key_argument(c: AzArgumentContext) -> None:
    """Declare --sign-key for a command that pushes."""
    c.argument(
        "sign_key",
        metavar="ID",
        arg_group="Signature",
        help=f"Also sign the artifact, with a key in a Key Vault: {_KEY}.",
    )


def _trusted(c: AzArgumentContext) -> None:
    """Declare what is trusted; `_validators.gather_artifact` makes `trust` of it."""
    c.ignore("trust")
    c.extra(
        "certificate_file",
        arg_group="Signature",
        help="Trust the certificates in this file, as PEM: a root, or the signer's own. Default: the trust policy and "
        "the trust stores of Notation.",
    )
    c.extra(
        "trusted_identity",
        arg_type=SEVERAL,
        metavar="IDENTITY",
        arg_group="Signature",
        help="With --certificate-file, trust only these space-separated subjects, in quotes: "
        "`x509.subject: C=US, ST=WA, O=example.com`.",
    )
