"""Help texts."""

from __future__ import annotations

import re

import yaml
from knack.help_files import helps

from azext_acrartifact import _help


def test_the_group_lists_each_command_once_by_its_purpose() -> None:
    assert _help.helps is helps
    lines = re.findall(r"^[A-Z][a-z ]+:  +(\S.*)$", yaml.safe_load(helps["acr artifact"])["long-summary"], re.MULTILINE)
    listed = [verb for line in lines for verb in line.split(", ")]
    commands = [name.removeprefix("acr artifact ") for name in helps if name.startswith("acr artifact ")]
    assert sorted(listed) == sorted(commands)
