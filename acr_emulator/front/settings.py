"""Changes to the running world: a nested JSON object, checked as a whole before it is applied."""

from __future__ import annotations

import copy
import re
from dataclasses import Field, asdict, fields
from typing import Any, get_args, get_type_hints

from acr_emulator.messages import BadRequest
from acr_emulator.world import Lag, Registry, RoleAssignment, ScopeMapToken, Vault, World

Change = tuple[Any, str, Any]
_NOT_PATCHED = ("tenants", "subscriptions", "lock")
_TYPES: dict[str, tuple[type, ...]] = {
    "bool": (bool,), "int": (int,), "float": (int, float), "str | None": (str, type(None)),
}  # fmt: skip
_ELEMENTS: dict[str, type[Any]] = {"lags": Lag, "roles": RoleAssignment, "tokens": ScopeMapToken}


def apply_settings(world: World, patch: Any) -> None:
    """Apply *patch*, such as `{"lifetimes": {"entra": 5}, "registries": {"myregistry": {"sku": "Basic"}}}`; in
    camelCase or snake_case. Raise `BadRequest` for an unknown name or a wrong type, and then change nothing."""
    with world.lock:
        for target, name, value in _changes(world, _object("settings", patch)):
            setattr(target, name, value)


def describe(world: World) -> dict[str, Any]:
    """Return the whole world as JSON, with its secrets, which are for tests."""
    with world.lock:
        return {item.name: _plain(getattr(world, item.name)) for item in fields(world) if item.name != "lock"}


class Snapshot:
    """A copy of the world, to restore it."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._state = self._copy()

    def restore(self) -> None:
        """Restore every value."""
        with self._world.lock:
            for name, value in copy.deepcopy(self._state).items():
                setattr(self._world, name, value)

    def _copy(self) -> dict[str, Any]:
        with self._world.lock:
            names = [item.name for item in fields(self._world) if item.name != "lock"]
            return {name: copy.deepcopy(getattr(self._world, name)) for name in names}


def _changes(world: World, patch: dict[str, Any]) -> list[Change]:
    changes: list[Change] = []
    for given, value in patch.items():
        name = _snake(given)
        if name in ("lifetimes", "limits"):
            changes += _fields_of(getattr(world, name), _object(given, value))
        elif name in ("registries", "principals", "vaults"):
            for key, part in _object(given, value).items():
                changes += _fields_of(_named(world, name, key), _object(key, part))
        elif name in _NOT_PATCHED:
            raise BadRequest(f"no such setting: {given}")
        else:
            changes += _fields_of(world, {given: value})
    return changes


def _fields_of(target: Any, patch: dict[str, Any]) -> list[Change]:
    known = {item.name: item for item in fields(target)}
    changes: list[Change] = []
    for given, value in patch.items():
        name = _snake(given)
        if name not in known:
            raise BadRequest(f"no such setting: {given} of {type(target).__name__}")
        changes.append((target, name, _value(target, known[name], value)))
    return changes


def _value(target: Any, item: Field[Any], value: Any) -> Any:
    if isinstance(target, (Registry, Vault)) and item.name in _ELEMENTS:
        return [_element(_ELEMENTS[item.name], part) for part in _checked(item.name, value, (list,))]
    types = _TYPES.get(str(item.type), (type(getattr(target, item.name)),))
    _check_name(type(target), item.name, value)
    return _checked(item.name, value, types)


def _element(make: type[Any], value: Any) -> Any:
    given = {_snake(name): item for name, item in _object("an element", value).items()}
    try:
        made = make(**given)
    except TypeError as error:
        raise BadRequest(str(error)) from error
    for name, item in given.items():
        _check_name(make, name, item)
    return made


def _check_name(kind: type[Any], field: str, value: Any) -> None:
    """Raise `BadRequest` if the *field* of *kind* takes one of some names, and *value* is none of them."""
    names = [name for name in get_args(get_type_hints(kind)[field]) if isinstance(name, str)]
    if names and value not in names:
        raise BadRequest(f"{field} must be {' or '.join(names)}")


def _named(world: World, kind: str, key: str) -> Any:
    found = {"registries": world.registry, "principals": world.principal, "vaults": world.vault}[kind](key)
    if found is None:
        raise BadRequest(f"no such setting: {kind}.{key}")
    return found


def _checked(name: str, value: Any, types: tuple[type, ...]) -> Any:
    fits = isinstance(value, types) and (not isinstance(value, bool) or bool in types)
    if not fits:
        raise BadRequest(f"{name} must be {' or '.join(kind.__name__ for kind in types)}")
    return value


def _object(name: str, value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise BadRequest(f"{name} must be an object")
    return value


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda match: "_" + match.group(1).lower(), name)


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return asdict(value) if hasattr(value, "__dataclass_fields__") else value
