"""The commands `sign` and `verify`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..._exception_handler import command
from ...errors import InvalidInputError
from ..arguments import ArtifactArgument, KeyArgument, LoginArgument, TrustArgument
from ..context import CommandContext


@command
def sign(
    cmd: CommandContext,
    artifact: list[ArtifactArgument],
    login: LoginArgument,
    signing: KeyArgument,
    signature_format: str = "jws",
    expiry: str | None = None,
    user_metadata: list[str] | None = None,
    dry_run: bool = False,
) -> list[dict[str, Any]]:
    """Sign artifacts."""
    from ...operations.short_digest import find_digest
    from ...operations.sign import SignOrder
    from ...operations.sign import sign as run
    from ..naming import name_artifact
    from ..orders import signature_form
    from ..output.json_sign import signed_output
    from ..session import open_session
    from ..signing import open_signer

    named = [name_artifact(cmd, one) for one in artifact]
    servers = sorted({one.reference.server for one in named})
    if len(servers) > 1:
        raise InvalidInputError(
            "The artifacts are in several registries", where=", ".join(servers), hint="Sign those of each by a command."
        )
    form = signature_form(signature_format, expiry, user_metadata or [])
    signer = open_signer(cmd, signing)
    with open_session(cmd, named[0], login) as session:
        others = [replace(one.reference, server=session.reference.server) for one in named[1:]]
        references = [session.reference, *(find_digest(session.registry, one) for one in others)]
        found = run(session.registry, SignOrder(references, form, dry_run), signer, session.progress)
        for one in found:
            session.report("Would sign" if dry_run else "Signed", one.reference, one.artifact.digest)
    return [signed_output(one) for one in found]


@command
def verify(
    cmd: CommandContext, artifact: ArtifactArgument, login: LoginArgument, trust: TrustArgument
) -> dict[str, Any]:
    """Verify the signatures of an artifact."""
    from ...operations.verify import verify as run
    from ..naming import name_artifact
    from ..output.json_sign import verified_output
    from ..session import open_session
    from ..signing import notation_trust, simple_trust

    named = name_artifact(cmd, artifact)
    simple = simple_trust(trust) if trust.certificate_file else None
    with open_session(cmd, named, login) as session:
        result = run(session.registry, session.reference, simple or notation_trust(session.reference))
        session.report("Verified", result.reference, result.artifact.digest)
    return verified_output(result)
