"""The key of a command that signs, and what a command trusts that verifies. Imports `signing` only when needed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from .._client_factory import open_vault
from ..errors import ArtifactError, InvalidInputError, restated
from .arguments import KeyArgument, TrustArgument
from .context import CommandContext

if TYPE_CHECKING:
    from ..oci.digest import Digest
    from ..oci.reference import Reference
    from ..oci.registry import Registry
    from ..operations.push import PushOrder
    from ..signing.signer import Signer
    from ..signing.trust import TrustPolicy
    from .session import Session

ALWAYS, ASKED = "always", "asked"


class Verification:
    """Verifies artifacts before a command uses them, if *trust* or `az config set acrartifact.verify=always` asks for
    that. A certificate file is read here, before anything else. Raises `InvalidInputError` and `SignatureError`."""

    def __init__(self, cmd: CommandContext, trust: TrustArgument | None, *, referrer: str | None = None) -> None:
        self._cmd, self._asked = cmd, trust is not None and trust.verify
        setting = cmd.choice("verify", (ASKED, ALWAYS), "Not a time to verify signatures")
        self.is_wanted = self._asked or setting == ALWAYS
        """Whether anything is verified."""
        self._policy = simple_trust(trust) if trust and trust.certificate_file else None
        if self.is_wanted and referrer:
            raise InvalidInputError(
                "--referrer does not say which artifact is verified",
                hint="Pull the attached artifact by its digest: az acr artifact list-referrers shows it.",
            )

    def of(self, session: Session) -> Reference:
        """Return the reference of *session* with the digest that was verified, or as it is if nothing is wanted. Raises
        `SignatureError` without a trusted signature."""
        return self._checked(session.registry, session.reference) if self.is_wanted else session.reference

    def _checked(self, registry: Registry, reference: Reference) -> Reference:
        """Return *reference* with the digest that was verified."""
        from ..operations.verify import verify

        policy = self._policy or notation_trust(reference)
        # Without being asked for this artifact, the policy's own exception counts.
        if policy.verifies_nothing and not self._asked:
            return reference
        result = verify(registry, reference, policy, every=False)
        assert result.trusted is not None
        self._cmd.shown["verifiedSignature"] = result.trusted.digest
        return result.reference

    def required(self, session: Session) -> Callable[[Digest], None]:
        """Return a function that raises `SignatureError` unless a manifest in the repository of *session* has a trusted
        signature, if one is wanted."""

        def require(digest: Digest) -> None:
            if self.is_wanted:
                self._checked(session.registry, session.reference.at(digest))

        return require


class SignAfter:
    """Signs what a command has pushed, with the key *sign_key* of a Key Vault, if given. The certificate is read here,
    before anything is sent. Raises any `ArtifactError`."""

    def __init__(self, cmd: CommandContext, sign_key: str | None, order: PushOrder) -> None:
        if sign_key and order.platform:
            raise InvalidInputError(
                "--sign-key does not sign an index",
                why="others may add to it",
                hint=f"Sign it when it is complete: az acr artifact sign {order.reference} --key {sign_key}",
            )
        self._cmd, self._key, self._dry_run = cmd, sign_key or "", order.dry_run
        self._signer = open_signer(cmd, KeyArgument(sign_key)) if sign_key else None

    def sign(self, session: Session, digest: Digest) -> None:
        """Sign the manifest *digest*. Raises the error that signing had, which says that the artifact was pushed."""
        if self._signer is None:
            return
        from ..operations.sign import SignOrder, sign
        from ..signing.signer import require_usable

        require_usable(self._signer)
        if self._dry_run:
            return
        reference = session.reference.at(digest)
        try:
            signed = sign(session.registry, SignOrder([reference]), self._signer, session.progress)
        except ArtifactError as error:
            why = (
                f"{error.why}. The artifact itself was pushed: {reference}" if error.why else f"{reference} was pushed"
            )
            hint = f"{error.hint.rstrip('. ')}. Then sign it: az acr artifact sign {reference} --key {self._key}"
            raise restated(error, why=why, hint=hint) from error
        assert signed[0].signature is not None
        self._cmd.shown["signature"] = signed[0].signature.digest


def simple_trust(trust: TrustArgument) -> TrustPolicy:
    """Return the policy of --certificate-file."""
    from ..signing.local_key import read_certificates
    from ..signing.trust import simple_policy

    return simple_policy(read_certificates(trust.certificate_file or ""), trust.trusted_identity or [])


def notation_trust(reference: Reference) -> TrustPolicy:
    """Return Notation's policy for the repository of *reference*."""
    from ..signing.notation_files import NotationFolder
    from ..signing.trust_policy import policy_for

    return policy_for(NotationFolder.of_user(), reference)


def open_signer(cmd: CommandContext, signing: KeyArgument) -> Signer:
    """Return the signer: a local key, or one in a Key Vault, whose certificate is read now. Raises any
    `ArtifactError`."""
    from .._client_factory import http_client
    from ..signing.local_key import open_local_key, read_chain
    from ..signing.vault_key import open_vault_key
    from ..transfer.progress import Progress

    if signing.key_file:
        return open_local_key(signing.key_file, signing.certificate_file or "")
    chain = read_chain(signing.certificate_file) if signing.certificate_file else None
    return open_vault_key(open_vault(cmd, signing.key or "", http_client(cmd, Progress())), chain)
