"""The benchmark writes its README's tables: between the markers and nowhere else, with when and where."""

from datetime import date
from pathlib import Path

import pytest

from tests.benchmarks import filling
from tests.benchmarks.__main__ import PARTS
from tests.benchmarks.filling import README, Row, caption, fill
from tests.benchmarks.report import Report

TEXT = """# Benchmarks

<!-- bench:lanes -->
old
<!-- /bench:lanes -->

Prose.

<!-- bench:growth -->
stays
<!-- /bench:growth -->
"""


@pytest.fixture
def readme(tmp_path: Path) -> Path:
    path = tmp_path / "README.md"
    path.write_text(TEXT, "utf-8")
    return path


def test_a_measured_part_replaces_its_table_and_leaves_all_else(readme):
    rows = [
        Row("a | b", "11,200/s", "≥ 0.5", True),
        Row("growth", "k = 1.21", "k ≤ 1.15", False),
        Row("c", "1", "", None),
    ]

    assert fill(readme, {"lanes": rows}, "Measured today.") == []

    assert readme.read_text("utf-8") == TEXT.replace(
        "old\n",
        "Measured today.\n"
        "\n"
        "| what | result | promise | |\n"
        "|---|---|---|---|\n"
        "| a \\| b | 11,200/s | ≥ 0.5 | kept |\n"
        "| growth | k = 1.21 | k ≤ 1.15 | **not kept** |\n"
        "| c | 1 |  |  |\n",
    )


def test_a_part_without_a_place_is_named_and_writes_nothing(readme):
    assert fill(readme, {"replicas": [Row("a", "1", "", None)]}, "Measured today.") == ["replicas"]
    assert readme.read_text("utf-8") == TEXT


@pytest.mark.parametrize(("load", "busy"), [(0.2, False), (0.99, False), (3.4, True)])
def test_the_caption_says_when_where_and_whether_the_machine_was_busy(monkeypatch, load, busy):
    monkeypatch.setattr(filling.os, "cpu_count", lambda: 2)
    monkeypatch.setattr(filling, "processor", lambda: "Xeon")

    written = caption(date(2026, 11, 29), {"PostgreSQL": "15.18", "RabbitMQ": "3.10.8"}, load)

    assert written.startswith(
        "Measured on 2026-11-29 by `make bench`: 2 cores (Xeon), PostgreSQL 15.18, RabbitMQ 3.10.8"
    )
    assert ("**the machine was busy** (load 3.4)" in written) is busy


def test_the_readme_has_a_place_for_each_part():
    text = README.read_text("utf-8")
    named = {"journey" if part in ("import", "latency", "reads", "memory") else part for part in PARTS}

    assert [part for part in sorted(named) if f"<!-- bench:{part} -->\n" not in text] == []


def test_lines_are_collected_by_part_and_a_part_that_failed_is_left_out():
    report = Report({}, quick=False)
    report.begin("lanes")
    report.line("ratio", "0.59", "≥ 0.5", True)
    report.begin("growth")
    report.line("up to 600", "300 µs")

    report.missing("growth", "TimeoutError")

    assert report.parts == {"lanes": [Row("ratio", "0.59", "≥ 0.5", True)]}
