"""Questions to the user. Without a terminal nothing is asked, and the answer is no."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ...errors import CancelledError, InvalidInputError
from ...text import printable

if TYPE_CHECKING:
    from ...operations.delete import Deletion

_MOST_NAMED = 20


def asks(cmd: Any, yes: bool) -> bool:
    """Whether `confirm` asks at all."""
    return not (yes or cmd.cli_ctx.config.getboolean("core", "disable_confirm_prompt", fallback=False))


def confirm(cmd: Any, what: str, yes: bool) -> None:
    """Ask whether to go on with *what*, lines that name all that goes; `CancelledError` for a no."""
    from knack.prompting import NoTTYException, prompt_y_n

    if not asks(cmd, yes):
        return
    try:
        if prompt_y_n(f"{what}\nAre you sure you want to continue?"):
            return
    except NoTTYException as error:
        raise CancelledError(
            "Nothing was deleted", why="there is no terminal to ask for confirmation on", hint="Give --yes."
        ) from error
    raise CancelledError("Nothing was deleted", why="the answer was no")


def describe(deletion: Deletion) -> str:
    """What goes, in the words of `az acr repository delete`, and what is attached to it."""
    repository = deletion.reference.repository
    images = ", ".join(f"'{repository}:{printable(tag)}'" for tag in deletion.tags) or "none"
    lines = [f"This operation will delete the manifest '{deletion.digest}' and all the following images: {images}."]
    if deletion.referrers:
        lines.append(f"These {len(deletion.referrers)} attached artifacts go with it:")
        lines += [
            f"  {referrer.descriptor.digest} {printable(referrer.artifact_type or referrer.descriptor.media_type)}"
            for referrer in deletion.referrers[:_MOST_NAMED]
        ]
    if len(deletion.referrers) > _MOST_NAMED:
        lines.append(f"  and {len(deletion.referrers) - _MOST_NAMED} more")
    if deletion.locked:
        names = ", ".join(f"'{repository}:{printable(tag.name)}'" for tag in deletion.locked)
        lines.append(f"Locked, and deleted all the same: {names}.")
    for index in deletion.indexes:
        names = ", ".join(f"'{repository}:{printable(tag)}'" for tag in index.tags)
        lines.append(f"The index {names} will miss it.")
    return "\n".join(lines)


def ask_password(username: str) -> str:
    """The password of *username*, unseen; `InvalidInputError` without a terminal."""
    from knack.prompting import NoTTYException, prompt_pass

    try:
        return str(prompt_pass(f"Password for {username}: "))
    except NoTTYException as error:
        raise InvalidInputError("No password", where=username, hint="Give --password-stdin.") from error
