"""Settings of `az config`: their names, types and limits."""

from __future__ import annotations

import pytest

from azext_acrartifact.cli.context import CommandContext
from azext_acrartifact.errors import InvalidInputError
from azext_acrartifact.transport.network import STALL_TIMEOUT
from tests.unit.cli.az_command import az_command


def context(value: str | None) -> CommandContext:
    """Return the context of a command, with both settings set to *value*, or not set."""
    names = () if value is None else ("stall_timeout", "concurrency")
    return CommandContext(az_command({("acrartifact", name): value for name in names}))


@pytest.mark.parametrize(("value", "seconds"), [(None, STALL_TIMEOUT), ("1", 1.0), ("45", 45.0), ("3600", 3600.0)])
def test_whole_seconds_are_accepted(value: str | None, seconds: float) -> None:
    assert context(value).stall_timeout == seconds


@pytest.mark.parametrize(
    ("value", "typed", "number"), [(None, None, None), ("0", None, None), ("8", None, 8), ("x", 4, 4)]
)
def test_the_typed_concurrency_wins(value: str | None, typed: int | None, number: int | None) -> None:
    assert context(value).concurrency(typed) == number


@pytest.mark.parametrize("value", ["", "-1", "3601", "10000", "1.5", "x", "\u0663", "1e3", " 5", "9" * 5000])
def test_anything_else_is_refused(value: str) -> None:
    with pytest.raises(InvalidInputError, match="Not a number of seconds"):
        context(value).stall_timeout  # noqa: B018
    with pytest.raises(InvalidInputError, match=r"Not a number of requests \(acrartifact.concurrency=") as caught:
        context(value).concurrency(None)
    assert caught.value.hint.endswith("az config unset acrartifact.concurrency")


def test_no_second_is_no_timeout() -> None:
    with pytest.raises(InvalidInputError):
        context("0").stall_timeout  # noqa: B018


@pytest.mark.parametrize(("text", "is_on"), [("on", True), ("TRUE", True), ("1", True), ("no", False), ("0", False)])
def test_a_switch_is_on_or_off(text: str, is_on: bool) -> None:
    assert CommandContext(az_command({("core", "x"): text})).is_on("core", "x", default=not is_on) is is_on
    assert CommandContext(az_command()).is_on("core", "x", default=is_on) is is_on


@pytest.mark.parametrize("text", ["", "maybe", "2", "-1"])
def test_another_switch_is_refused(text: str) -> None:
    with pytest.raises(InvalidInputError, match=f"Not a switch .core.x={text}") as caught:
        CommandContext(az_command({("core", "x"): text})).is_on("core", "x")
    assert caught.value.hint == "Set on or off, or return to the default: az config unset core.x"


def test_a_choice_is_one_of_them() -> None:
    assert CommandContext(az_command()).choice("auth_mode", ["a", "b"], "No mode") == "a"
    with pytest.raises(InvalidInputError, match=r"No mode \(acrartifact.auth_mode=c\)"):
        CommandContext(az_command({("acrartifact", "auth_mode"): "c"})).choice("auth_mode", ["a", "b"], "No mode")


@pytest.mark.parametrize(
    ("name", "advice"), [("concurency", "Set concurrency, or"), ("x", "Set auth_mode or completion_timeout or")]
)
def test_a_setting_that_does_not_exist(name: str, advice: str, monkeypatch: pytest.MonkeyPatch) -> None:
    found = CommandContext(az_command({("acrartifact", name): "8", ("acrartifact", "concurrency"): "8"}))
    with pytest.raises(InvalidInputError, match=f"no such setting .acrartifact.{name}") as caught:
        found.check_settings()
    assert caught.value.hint.startswith(advice)
    monkeypatch.setenv(f"AZURE_ACRARTIFACT_{name.upper()}", "8")
    with pytest.raises(InvalidInputError, match=f"AZURE_ACRARTIFACT_{name.upper()}") as caught:
        found.check_settings()
    assert caught.value.hint.endswith(f"unset AZURE_ACRARTIFACT_{name.upper()}")


def test_a_wrong_setting_of_the_silent_completion_is_said() -> None:
    for seconds in ("0", "61", "never"):
        with pytest.raises(InvalidInputError, match=f"completion_timeout={seconds}"):
            CommandContext(az_command({("acrartifact", "completion_timeout"): seconds})).check_settings()
