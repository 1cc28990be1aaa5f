"""The filters of a purge by age, repository and tag.

Both have the syntax of `acr purge`, with ages as Go's durations
(https://learn.microsoft.com/azure/container-registry/container-registry-auto-purge). Unlike there, a pattern must match
the whole tag, not a part of it: `1.0` must not delete `11.0-rc`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from ..errors import InvalidInputError
from ..linear_match import Pattern
from ..oci.reference import is_repository
from .tag_pattern import parse_pattern

LONGEST_PATTERN = 1000
_AGE = re.compile(r"(?:(?P<d>\d+)d)?(?:(?P<h>\d+(?:\.\d*)?)h)?(?:(?P<m>\d+(?:\.\d*)?)m)?(?:(?P<s>\d+(?:\.\d*)?)s)?")
_UNITS = {"d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d+))?Z")
# Splits a pattern so that colons and brackets in escapes, in character sets and in `(?i:` are not taken for its own.
_PARTS = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\(\?[a-zA-Z-]*:|[:()]|[*+]|\{\d*,\d*\}|.", re.DOTALL)
# A sign after something that it would repeat in an expression on purpose is left as it is.
_WILD = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\][*?+]?|[.)}][*?+]|[*?]")
_QUOTES = "'\"`\u2018\u2019\u201c\u201d"


@dataclass(frozen=True)
class TagFilter:
    """Tags that match *tag* in repositories that match *repository*. *name* is set if the filter names one repository,
    and None if the repositories must be listed. *typed* are the two expressions as the user wrote them."""

    repository: Pattern
    tag: Pattern
    name: str | None = None
    typed: tuple[str, str] = ("", "")

    @classmethod
    def of_repository(cls, name: str) -> TagFilter:
        """Return the filter of all tags of one repository."""
        return cls(parse_pattern(re.escape(name)), parse_pattern(".*"), name, (name, ".*"))


def parse_filter(text: str) -> TagFilter:
    """Parse `REPOSITORY:TAG`, two regular expressions. A valid repository name is literal, dots included. Raises
    `InvalidInputError`."""
    if len(text) > 1 and text[0] in _QUOTES and text[-1] in _QUOTES:
        raise InvalidInputError(
            "The quotes are part of the filter",
            where=text[:100],
            why="cmd.exe removes only double ones",
            hint=f'Write it as "{text[1:-1]}".',
        )
    parts = _PARTS.findall(text)
    if len(text) > LONGEST_PATTERN or parts.count(":") != 1:
        raise InvalidInputError(
            "Not a filter", where=text[:100], hint="Write REPOSITORY:TAG, two regular expressions: 'samples/.*:dev-.*'."
        )
    middle = parts.index(":")
    repository, tag = "".join(parts[:middle]), "".join(parts[middle + 1 :])
    name = repository if is_repository(repository) else None
    found = _compiled(re.escape(name) if name else repository, text)
    return TagFilter(found, _compiled(tag, text), name, (repository, tag))


def as_expression(glob: str) -> str:
    """Return the regular expression for a pattern that was meant as a glob, in which `*` and `?` stand alone; the same
    text if there is no such sign."""
    return _WILD.sub(lambda sign: {"*": ".*", "?": "."}.get(sign.group(), sign.group()), glob)


def parse_age(text: str) -> timedelta:
    """Parse days, hours, minutes and seconds such as `30d`, `1h30m` or `2d3h6m`. Raises `InvalidInputError`."""
    match = _AGE.fullmatch(text)
    given = {unit: value for unit, value in match.groupdict().items() if value} if match else {}
    if not given:
        raise InvalidInputError("Not an age", where=text, hint="Write days, hours and minutes: 30d, 1h30m, 2d3h6m.")
    try:
        return timedelta(**{_UNITS[unit]: float(value) for unit, value in given.items()})
    except OverflowError:
        return timedelta.max


def before(now: datetime, age: timedelta) -> datetime:
    """Return the time *age* before *now*, or the earliest possible time."""
    try:
        return now - age
    except OverflowError:
        return datetime.min.replace(tzinfo=timezone.utc)


def parse_time(text: object) -> datetime | None:
    """Parse a time as ACR writes it, with up to seven decimals; return None for anything else."""
    match = _TIME.fullmatch(text) if isinstance(text, str) else None
    try:
        moment = datetime.strptime(match.group(1), "%Y-%m-%dT%H:%M:%S") if match else None
    except ValueError:
        return None
    if match is None or moment is None:
        return None
    fraction = (match.group(2) or "")[:6].ljust(6, "0")
    return moment.replace(microsecond=int(fraction), tzinfo=timezone.utc)


def _compiled(pattern: str, text: str) -> Pattern:
    if not pattern:
        raise InvalidInputError("One side of the filter is empty", where=text, hint="Write .* for everything.")
    try:
        return parse_pattern(pattern)
    except (re.error, OverflowError, RecursionError) as error:
        meant = as_expression(pattern)
        hint = f"Filters are no globs: write {meant} for {pattern}." if meant != pattern else ""
        raise InvalidInputError("Not a regular expression", where=text, why=str(error), hint=hint) from error
    except ValueError as error:
        hint = "Write it with fewer groups and repetitions, or give several filters."
        raise InvalidInputError("The filter is not supported", where=text, why=str(error), hint=hint) from error
