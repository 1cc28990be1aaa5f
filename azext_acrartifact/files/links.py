"""Decide which symbolic links may be packed and unpacked.

A target may begin with `../`, as often as it stays in the packed folder, and may have `..` nowhere else. Then every
`..` is resolved from a real folder, never from a link, and no chain of links can leave the packed folder, not even
together with links of earlier archives (GHSA-m37j-52j7-pjw7, CVE-2025-4517, CVE-2025-45582).
"""

from __future__ import annotations

from .names import TITLE_LIMIT, why_unsafe


def why_unsafe_link(target: str, depth: int) -> str | None:
    """Return the reason why a link to *target* is refused, or None.

    *depth* counts the folders between the packed folder and the link: 0 for a link at its top.
    """
    if not target or len(target) > TITLE_LIMIT:
        return f"its target is empty or longer than {TITLE_LIMIT} characters"
    if target.startswith("/"):
        return f"it points to an absolute path, {target}"
    steps = [part for part in target.split("/") if part not in ("", ".")]
    rising = 0
    while rising < len(steps) and steps[rising] == "..":
        rising += 1
    if rising > depth:
        return f"it points outside of the folder, to {target}"
    if ".." in steps[rising:]:
        return f'".." is only allowed at the start of its target, {target}'
    reason = next(filter(None, map(why_unsafe, steps[rising:])), None)
    return reason and f"its target is {target}, and {reason}"
