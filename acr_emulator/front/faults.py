"""Fault rules: the requests that they match, and their effects.

A rule is JSON: its conditions (`method`, `host` glob, `path` and `query` regular expressions, from the `nth` match on,
`times` at most, with `probability` from `seed`), one `action`, and the action's own fields. README.md lists them.
"""

from __future__ import annotations

import fnmatch
import itertools
import random
import re
import threading
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from acr_emulator.messages import BadRequest, Request

NAMED = ("drop_session", "expire_token", "ignore_range", "wrong_content_range")
ACTIONS = (
    "status", "reset", "cut", "corrupt", "delay", "stall", "bandwidth", "set_headers", "drop_headers", "raw", *NAMED,
)  # fmt: skip
POINTS = ("before", "request", "handled", "response")


@dataclass
class Rule:
    """One rule. *where* (see README.md) is the time of a `reset`, `cut` or `stall`, in a body after *after* bytes.
    *seconds* is for `delay` and `stall`, *offset* for `corrupt`, *rate* (bytes a second) for `bandwidth`."""

    action: str
    method: str | None = None
    host: str | None = None
    path: str | None = None
    query: str | None = None
    nth: int = 1
    times: int | None = None
    probability: float = 1.0
    seed: int = 0
    status: int = 503
    headers: dict[str, str] = field(default_factory=dict)
    body: str | None = None
    where: str = "before"
    after: int = 0
    offset: int = 0
    seconds: float = 0.0
    rate: float = 0.0
    raw: str = ""
    id: str = ""
    matched: int = 0
    applied: int = 0

    def __post_init__(self) -> None:
        self._random = random.Random(self.seed)
        self._path = re.compile(self.path or "")
        self._query = re.compile(self.query or "")

    def hits(self, request: Request) -> bool:
        """Return whether the rule applies to this request, and count it."""
        if not self._matches(request):
            return False
        self.matched += 1
        if self.matched < self.nth or (self.times is not None and self.applied >= self.times):
            return False
        if self.probability < 1.0 and self._random.random() >= self.probability:
            return False
        self.applied += 1
        return True

    def _matches(self, request: Request) -> bool:
        return (
            (self.method is None or request.method in self.method.split("|"))
            and (self.host is None or fnmatch.fnmatchcase(request.host, self.host))
            and self._path.search(request.path) is not None
            and self._query.search(request.query) is not None
        )


@dataclass
class Plan:
    """The rules that apply to one request."""

    rules: list[Rule]

    @property
    def ids(self) -> str:
        """The rules' ids, comma-separated, for the log."""
        return ",".join(rule.id for rule in self.rules)

    @property
    def names(self) -> frozenset[str]:
        """The named faults that services have to apply."""
        return frozenset(rule.action for rule in self.rules if rule.action in NAMED)

    def first(self, action: str) -> Rule | None:
        """Return the first rule with this action, or None."""
        return next((rule for rule in self.rules if rule.action == action), None)

    def of(self, *actions: str, where: str | None = None) -> list[Rule]:
        """Return the rules with one of these actions (and this *where*)."""
        return [rule for rule in self.rules if rule.action in actions and where in (None, rule.where)]


class FaultBook:
    """The active rules. Safe for many threads, and free while there is no rule."""

    def __init__(self) -> None:
        self._rules: dict[str, Rule] = {}
        self._ids = itertools.count(1)
        self._lock = threading.Lock()

    def add(self, value: Any) -> str:
        """Add the rule in the JSON *value* and return its id; raise `BadRequest`."""
        rule = parse_rule(value)
        with self._lock:
            rule.id = f"fault-{next(self._ids)}"
            self._rules[rule.id] = rule
        return rule.id

    def plan(self, request: Request) -> Plan | None:
        """Return the rules for *request*, or None if there are none."""
        if not self._rules:
            return None
        with self._lock:
            rules = [rule for rule in self._rules.values() if rule.hits(request)]
        return Plan(rules) if rules else None

    def list(self) -> list[dict[str, Any]]:
        """Return all rules, with their counts `matched` and `applied`."""
        with self._lock:
            return [asdict(rule) for rule in self._rules.values()]

    def remove(self, identifier: str | None = None) -> bool:
        """Remove one rule, or all; return False if there is none with that id."""
        with self._lock:
            if identifier is None:
                self._rules.clear()
                return True
            return self._rules.pop(identifier, None) is not None


_COUNTED = ("id", "matched", "applied")
_TYPES: dict[str, tuple[type, ...]] = {
    "int": (int,), "int | None": (int,), "float": (int, float), "str": (str,), "str | None": (str,),
    "dict[str, str]": (dict,),
}  # fmt: skip


def parse_rule(value: Any) -> Rule:
    """Return the rule in the JSON *value*; raise `BadRequest` for anything unknown."""
    if not isinstance(value, dict):
        raise BadRequest("a fault rule is a JSON object")
    types = {item.name: str(item.type) for item in fields(Rule) if item.name not in _COUNTED}
    for name, given in value.items():
        if name not in types:
            raise BadRequest(f"unknown field of a fault rule: {name}")
        if isinstance(given, bool) or not isinstance(given, _TYPES[types[name]]):
            raise BadRequest(f"field {name} of a fault rule must be {types[name]}")
    if value.get("action") not in ACTIONS:
        raise BadRequest(f"action must be one of {', '.join(ACTIONS)}")
    if value.get("where", "before") not in POINTS:
        raise BadRequest(f"where must be one of {', '.join(POINTS)}")
    if "nth" in value and "times" not in value:
        value = {**value, "times": 1}
    try:
        return Rule(**value)
    except re.error as error:
        raise BadRequest(f"not a regular expression: {error}") from error
