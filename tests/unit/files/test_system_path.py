"""Paths of Windows that are too long without a prefix."""

import os

import pytest

from azext_acrartifact.files.system_path import LONGEST, extended_path, plain_path, system_path

LONG = "\\".join(["n" * 50] * 5)


@pytest.mark.parametrize(
    ("path", "extended"),
    [
        (f"C:\\{LONG}", f"\\\\?\\C:\\{LONG}"),
        (f"C:/{LONG}/./a/../b", f"\\\\?\\C:\\{LONG}\\b"),
        (f"\\\\server\\share\\{LONG}", f"\\\\?\\UNC\\server\\share\\{LONG}"),
    ],
)
def test_a_long_path_gets_the_prefix(path: str, extended: str) -> None:
    assert extended_path(path) == extended
    assert plain_path(extended) == extended.replace("\\\\?\\UNC", "\\").removeprefix("\\\\?\\")


@pytest.mark.parametrize("path", ["a", "NUL", "C:a", "C:\\a", f"\\\\?\\C:\\{LONG}", f"\\\\.\\{LONG}"])
def test_others_stay_as_they_are(path: str) -> None:
    assert extended_path(path) == path


@pytest.mark.parametrize("path", ["a", "\\\\?\\Volume{0}\\a", "/a/b"])
def test_only_drives_and_shares_lose_the_prefix(path: str) -> None:
    assert plain_path(path) == path


def test_the_limit_is_that_of_a_folder() -> None:
    for length, is_long in ((LONGEST, False), (LONGEST + 1, True)):
        path = "C:\\".ljust(length, "n")
        assert (extended_path(path) != path) is is_long


def test_other_systems_have_no_prefix() -> None:
    long = os.path.abspath(os.sep + LONG.replace("\\", os.sep))
    assert (system_path(long) == long) is (os.name != "nt")
