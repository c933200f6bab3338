"""Each benchmark runs, at toy size, and says what it must; and the measuring itself is right."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bench import BENCHMARKS, __main__, measuring, report, trees
from bench.measuring import Figure, Surroundings, Target
from bench.report import Result

CHECKOUT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("name", BENCHMARKS)
def test_each_benchmark_says_its_figure_yardstick_and_ratio(name: str, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "bench", name, "--toy", "--runs", "1", "--json", "--dir", str(tmp_path)]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=240)
    assert done.returncode == 0, done.stderr
    [result] = json.loads(done.stdout)["results"]
    assert result["name"] == name
    assert result["file_system"]
    assert result["load"]
    for figure in result["figures"]:
        assert min(figure["value"], figure["yardstick_value"], figure["ratio"]) > 0
    for word in ("figure", "yardstick", "ratio", "target"):
        assert done.stderr.count(f"    {word} ") == len(result["figures"]) > 0
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_benchmark_is_refused_by_name(capsys: pytest.CaptureFixture[str]) -> None:
    assert __main__.main(["speed"]) == 2
    assert "There is no benchmark 'speed'; there are reconcile_from_nothing" in capsys.readouterr().err


def test_the_ten_formats_are_full_and_different_files() -> None:
    made = [trees.content(number) for number in range(30)]
    assert {len(data) for _, data in made} == {trees.SIZE}
    assert len({data for _, data in made}) == 30
    assert len({extension for extension, _ in made}) == 10


def test_percentiles_are_values_that_were_measured() -> None:
    values = [float(n) for n in range(20, 0, -1)]
    assert [measuring.percentile(values, share) for share in (0.01, 0.5, 0.95, 1.0)] == [1.0, 10.0, 19.0, 20.0]


def test_fsyncs_are_read_from_the_table_of_strace(tmp_path: Path) -> None:
    table = tmp_path / "calls"
    table.write_text(
        "% time     seconds  usecs/call     calls    errors syscall\n"
        " 90.00    0.010000          10      1000         3 fsync\n"
        " 10.00    0.001000          10        12           fdatasync\n"
        "100.00    0.011000          10      1012         3 total\n"
    )
    assert measuring._counted(table) == 1012


# --- the page ---------------------------------------------------------------------------------------------------


def result_of(name: str) -> Result:
    met, missed = Target.at_least(6_000, 5_000, "files/s"), Target.at_most(20, 15, "× its time")
    figure = Figure(
        "10 files", "files/s", [5_900, 6_000, 7_000], "find | wc", [1, 2, 3], 3_000, "its speed", (met, missed)
    )
    around = Surroundings("2 cores, 24 GiB", "ext4", "0.10 0.20 0.30", 0.02)
    return Result(name, "full", 3, datetime(2026, 11, 23, tzinfo=UTC), 61.0, around, "0.40 0.20 0.30", [figure])


def test_the_page_gets_the_figures_between_the_markers_and_keeps_the_rest(tmp_path: Path) -> None:
    page = tmp_path / "benchmarks.md"
    page.write_text("before\n<!-- figures of a -->\nold\n<!-- end of a -->\nafter\n")
    report.write_page([result_of("a")], "python -m bench a", page)
    text = page.read_text()
    assert text.startswith(
        "before\n<!-- figures of a -->\n2026-11-23, `python -m bench a`, 1 min; 2 cores, 24 GiB; ext4;"
    )
    assert "| 10 files | 6,000 files/s (5,900 – 7,000, 3 runs) | find \\| wc: 2.00 files/s" in text
    assert "≥ 5,000 files/s: met; ≤ 15 × its time: NOT MET |" in text
    assert text.endswith("<!-- end of a -->\nafter\n")
    assert "old" not in text


def test_the_page_has_a_place_for_every_benchmark() -> None:
    text = report.PAGE.read_text()
    assert [name for name in BENCHMARKS if text.count(f"<!-- figures of {name} -->") != 1] == []
