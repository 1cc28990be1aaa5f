"""The arguments that a command declares."""

from __future__ import annotations

import contextlib
from collections import Counter
from typing import Any

import pytest

from azext_acrartifact._params import DECLARATIONS, load_arguments


class Recorder(Counter[str]):
    """Stands in for Azure CLI's loader and its argument context: counts the declarations by command."""

    def argument_context(self, command: str) -> Any:
        self.argument = self.extra = self.positional = self.ignore = lambda *_, **__: self.update([command])
        return contextlib.nullcontext(self)


@pytest.mark.parametrize("command", DECLARATIONS)
def test_only_the_arguments_of_one_command_are_declared(command: str) -> None:
    one, every = Recorder(), Recorder()
    load_arguments(one, command)
    load_arguments(every, "")
    assert (set(one), set(every)) == ({command}, set(DECLARATIONS))
    assert one[command] == every[command] < every.total() / 5
