"""Questions to the user. Without a terminal nothing is asked, and nothing is confirmed."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from knack.prompting import NoTTYException, prompt_pass, prompt_y_n

from ...errors import CancelledError, InvalidInputError
from ...oci.referrers import referrers_tag
from ...text import printable, printable_lines
from ..context import CommandContext
from ..interrupt import InterruptError

if TYPE_CHECKING:
    from ...operations.delete import Deletion

_MOST_NAMED = 20


def asks(cmd: CommandContext, yes: bool) -> bool:
    """Return whether `confirm` asks at all."""
    return not (yes or cmd.is_on("core", "disable_confirm_prompt"))


def confirm(cmd: CommandContext, summary: str, yes: bool, *, ask: Callable[[str], bool] = prompt_y_n) -> None:
    """Show *summary*, which lists everything to be deleted, and ask; raises `CancelledError` unless the user agrees."""
    if not asks(cmd, yes):
        return
    try:
        if ask(f"{printable_lines(summary)}\nAre you sure you want to continue?"):
            return
    except KeyboardInterrupt as interrupt:
        sys.stderr.write("\n")  # ends the line of the question
        raise InterruptError(interrupt, "nothing was deleted") from interrupt
    except NoTTYException as error:
        raise CancelledError(
            "Nothing was deleted", why="there is no terminal to ask for confirmation on", hint="Give --yes."
        ) from error
    raise CancelledError("Nothing was deleted", why="you did not confirm it")


def describe(deletion: Deletion) -> str:
    """Return the question of `delete`, in the words of `az acr repository delete`, with all referrers."""
    repository = deletion.reference.repository
    images = ", ".join(f"'{repository}:{printable(tag)}'" for tag in deletion.tags) or "none"
    lines = [f"This operation will delete the manifest '{deletion.digest}' and all the following images: {images}."]
    if deletion.referrers:
        lines.append(f"These {len(deletion.referrers)} attached artifacts will be deleted with it:")
        lines += [
            f"  {referrer.descriptor.digest} {printable(referrer.artifact_type or referrer.descriptor.media_type)}"
            for referrer in deletion.referrers[:_MOST_NAMED]
        ]
    if len(deletion.referrers) > _MOST_NAMED:
        lines.append(f"  and {len(deletion.referrers) - _MOST_NAMED} more")
    if deletion.lists:
        tags = ", ".join(f"'{repository}:{referrers_tag(subject)}'" for subject in deletion.lists)
        lines.append(f"Lists of attached artifacts that will be deleted as well: {tags}.")
    if deletion.signatures:
        tags = ", ".join(f"'{repository}:{tag}'" for tag in deletion.signatures)
        lines.append(f"Signatures and the like that will be deleted as well: {tags}.")
    if deletion.locked:
        names = ", ".join(f"'{repository}:{printable(tag.name)}'" for tag in deletion.locked)
        lines.append(f"Locked tags that will be deleted as well: {names}.")
    for index in deletion.indexes:
        names = ", ".join(f"'{repository}:{printable(tag)}'" for tag in index.tags)
        lines.append(f"The index {names} lists it, and will break.")
    return "\n".join(lines)


def ask_password(username: str) -> str:
    """Ask for the password of *username* without an echo; raises `InvalidInputError` without a terminal."""
    try:
        return str(prompt_pass(f"Password for {username}: "))
    except KeyboardInterrupt as interrupt:
        sys.stderr.write("\n")
        raise InterruptError(interrupt, "nothing was sent") from interrupt
    except NoTTYException as error:
        raise InvalidInputError("No password given", where=username, hint="Give --password-stdin.") from error
