"""The arguments that a command declares."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import pytest

from azext_acrartifact._params import DECLARATIONS, load_arguments


class Recorder:
    """Stands in for Azure CLI's loader and its argument context: counts the declarations by command."""

    def __init__(self) -> None:
        self.declared: Counter[str] = Counter()
        self._command = ""

    def argument_context(self, command: str) -> Any:
        self._command = command
        return contextlib.nullcontext(self)

    def argument(self, _name: str, *_: Any, **__: Any) -> None:
        self.declared[self._command] += 1

    extra = positional = ignore = argument


@pytest.mark.parametrize("command", DECLARATIONS)
def test_only_the_arguments_of_one_command_are_declared(command: str) -> None:
    one, every = Recorder(), Recorder()
    load_arguments(one, command)
    load_arguments(every, "")
    assert set(one.declared) == {command}
    assert set(every.declared) == set(DECLARATIONS)
    assert one.declared[command] == every.declared[command] < sum(every.declared.values()) / 5
