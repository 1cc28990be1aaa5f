"""Strict reading of JSON bodies: unknown members are refused, as the service does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from acr_emulator.arm.errors import invalid_body

Schema = Mapping[str, Any]
"""Member name to the Python type that it must have, or to the schema of a nested object."""


def check_object(value: Any, schema: Schema, kind: str) -> dict[str, Any]:
    """Return *value* as an object of *kind* with no member outside *schema*; raise `ArmError` 400.

    Null members are dropped: the service treats null as absent."""
    if not isinstance(value, dict):
        raise invalid_body(f"a JSON object of type '{kind}' is required.")
    unknown = sorted(set(value) - set(schema))
    if unknown:
        raise invalid_body(f"Could not find member '{unknown[0]}' on object of type '{kind}'.")
    return {name: _check(item, schema[name], f"{kind}.{name}") for name, item in value.items() if item is not None}


def require_members(value: Mapping[str, Any], names: tuple[str, ...], kind: str) -> None:
    """Raise `ArmError` 400 unless *value* has all of *names*, not empty."""
    for name in names:
        if value.get(name) in (None, "", {}):
            raise invalid_body(f"Required property '{name}' not found in JSON of type '{kind}'.")


def strings(value: Any, name: str) -> list[str]:
    """Return *value* as a list of strings; raise `ArmError` 400."""
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise invalid_body(f"'{name}' must be an array of strings.")
    return list(value)


def _check(item: Any, expected: Any, path: str) -> Any:
    if isinstance(expected, Mapping):
        return check_object(item, expected, path)
    wrong_kind = not isinstance(item, expected) or (isinstance(item, bool) and expected is not bool)
    if wrong_kind:
        raise invalid_body(f"'{path}' must be of type {expected.__name__}.")
    return item
