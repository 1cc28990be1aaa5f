"""The filters of a purge that match nothing, with the likely reason: a misspelt one must not look like success."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from .purge_filters import TagFilter, as_expression
from .tag_pattern import parse_pattern


@dataclass(frozen=True)
class Unmatched:
    """A filter as it was *typed*, *why* it matches nothing, and a *hint* at what was meant, or none."""

    typed: str
    why: str
    hint: str = ""


def find_unmatched(
    filters: Sequence[TagFilter], tags: Mapping[str, Collection[str]], missing: Collection[str], *, of_tags: bool
) -> Iterator[Unmatched]:
    """Yield those of *filters* that match no repository, or if *of_tags* no tag. *tags* are those of each repository
    that was listed, *missing* the repositories that do not exist."""
    for one in filters:
        typed = ":".join(one.typed)
        matched = [name for name in tags if one.repository.matches(name)]
        if not matched:
            is_missing = one.name in missing
            why = "the repository does not exist" if is_missing else "no repository matches"
            yield Unmatched(typed, why, _hint(one.typed[0], tags, lower_case=True))
        elif of_tags and not any(one.tag.matches(tag) for name in matched for tag in tags[name]):
            found = {tag for name in matched for tag in tags[name]}
            yield Unmatched(typed, "no tag matches", _hint(one.typed[1], found))


def _hint(pattern: str, names: Collection[str], *, lower_case: bool = False) -> str:
    """Return the expression that was probably meant by *pattern*, which matches none of *names*."""
    meant = as_expression(pattern)
    if meant != pattern and _matches(meant, names):
        return f"filters are no globs: write {meant} for {pattern}"
    if lower_case and pattern != pattern.lower() and _matches(pattern.lower(), names):
        return f"names of repositories are in lower case: write {pattern.lower()}"
    if not lower_case and not pattern.startswith("(?") and _matches(f"(?i){pattern}", names):
        return f"upper and lower case differ: write (?i:{pattern}) for both"
    return ""


def _matches(pattern: str, names: Collection[str]) -> bool:
    try:
        found = parse_pattern(pattern)
    except ValueError:
        return False
    return any(map(found.matches, names))
