"""Progress bars as text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from azext_acrartifact.cli.output.progress_bar import (
    FREE,
    Bar,
    cells,
    differences,
    file_line,
    fit,
    fit_middle,
    fit_name,
    rows,
    speed_text,
    total_line,
)

MIB = 1024 * 1024


def test_a_file_and_the_total() -> None:
    assert file_line(Bar("a.bin", "Uploading", 4 * MIB, MIB), 80) == (
        "Uploading   [##########..............................]  25% of 4.0 MiB  a.bin"
    )
    assert total_line(MIB, 4 * MIB, speed_text(MIB, 4 * MIB, MIB), 3, 100) == (
        "Total       [#######.....................]  25% of 4.0 MiB  1.0 MiB/s  3 s left  and 3 more files"
    )


@pytest.mark.parametrize(("moved", "percent"), [(-5, "  0%"), (999, " 99%"), (1000, "100%"), (2000, "100%")])
def test_a_share_is_between_nothing_and_all(moved: int, percent: str) -> None:
    assert f" {percent} of 1000 B" in file_line(Bar("a", "Uploading", 1000, moved), 100)


@pytest.mark.parametrize(
    ("rate", "end"),
    [(0, "/s"), (1e6, "99 s left"), (9e5, "2 min left"), (1e5, "16 min left"), (1e3, "28 h left"), (1e2, "100 B/s")],
)
def test_the_remaining_time(rate: float, end: str) -> None:
    assert speed_text(1_000_000, 100_000_000, rate).endswith(end)


def test_no_remaining_time_without_an_estimate() -> None:
    assert "left" not in speed_text(999_999, 100_000_000, 1e6)
    assert "left" not in speed_text(2_000_000, 100_000_000, 1e6, estimate=False)


@given(st.text(max_size=60), st.integers(1, 200), st.integers(-9, 10**13), st.integers(0, 10**13), st.integers(0, 60))
def test_a_line_leaves_room_for_an_echoed_ctrl_c(name: str, columns: int, moved: int, size: int, differs: int) -> None:
    speed = speed_text(moved, size, moved)
    assert cells(file_line(Bar(name, "Downloading", size, moved), columns, speed, differs)) <= max(columns - FREE, 0)
    assert cells(total_line(moved, size, speed, 2, columns)) <= max(columns - FREE, 0)


@pytest.mark.parametrize(
    ("columns", "one", "total"),
    [
        (60, "Uploading     50% of 4.0 GiB  1.0 MiB/s  model…afetensors", "Total         50% of 4.0 GiB  1.0 MiB/s"),
        (40, "Uploading     50%  model….safetensors", "Total         50% of 4.0 GiB"),
        (30, " 50%  model-…03.safetensors", "Total         50%"),
        (8, " 50%", " 50%"),
    ],
)
def test_a_narrow_terminal_shows_the_name_and_the_share(columns: int, one: str, total: str) -> None:
    bar = Bar("model-00001-of-00003.safetensors", "Uploading", 4096 * MIB, 2048 * MIB)
    assert file_line(bar, columns, "  1.0 MiB/s  34 min left") == one
    assert total_line(bar.moved, bar.size, "  1.0 MiB/s  34 min left", 3, columns).startswith(total)


@pytest.mark.parametrize("columns", [24, 30, 40, 60])
@pytest.mark.parametrize(
    "name",
    [
        "model-{}-of-00030.safetensors",
        "{}" + "x" * 90,
        "x" * 90 + "{}",
        "x" * 90 + "{}" + "y" * 90,
        "大" * 20 + "{}き.bin",
    ],
)
def test_names_of_many_stay_apart(columns: int, name: str) -> None:
    names = [name.format(f"{number:05}") for number in range(8)]
    apart = differences(names)
    lines = {file_line(Bar(one, "Uploading", 10, 5), columns, "", at) for one, at in zip(names, apart, strict=True)}
    assert len(lines) == len(names)
    assert differences(["a"]) == [0]
    assert fit_name("abcdefgh", 8, 4) == "abcdefgh"


def test_wide_and_combining_characters_take_their_cells() -> None:
    assert (cells("ab"), cells("大き"), cells("e\u0301")) == (2, 4, 1)
    assert fit("大きなファイル", 6) == "大き…"
    assert fit("abc", 3) == "abc"


def test_long_names_stay_apart() -> None:
    names = [f"{'long-' * 40}model-{number}-of-00003.safetensors" for number in range(3)]
    lines = {file_line(Bar(name, "Uploading", 10, 5), 80) for name in names}
    assert len(lines) == 3
    assert all("…" in line and line.endswith(".safetensors") for line in lines)
    assert fit_middle("大きなファイル", 7) == "大…イル"
    assert (fit_middle("abc", 3), cells(fit_middle("abcdefgh", 5))) == ("abc", 5)


def test_rows_after_a_terminal_became_narrower() -> None:
    assert rows(["x" * 79, "y" * 10, ""], 40) == 4
