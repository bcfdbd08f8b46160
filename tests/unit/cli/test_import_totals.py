"""Control totals of an import: what the former system shows, against what the files come to."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from services.cli.importing import commands

ROWS = (
    "invoice_id;record_id;number;kind;status;issued_on;net;vat;gross",
    "F1;1;F1;invoice;issued;05/01/2026;1000,00;0,00;1000,00",
    "F2;2;F2;invoice;cancelled;05/01/2026;300,00;0,00;300,00",
    "F3;3;F3;credit-note;issued;06/01/2026;50,00;0,00;50,00",
    "F4;4;F4;invoice;issued;31/02/2026;70,00;0,00;70,00",
)
Command = Callable[..., Any]


class Nobody:
    """A broker that must not be spoken to."""

    def __init__(self, url: str) -> None:
        raise AssertionError("something is published")


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Command:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("TRABOULE_BILLING_DATABASE_URL", raising=False)
    monkeypatch.setenv("TRABOULE_BROKER_URL_NUMELINK_BILLING", "amqp://nobody")
    monkeypatch.setattr(commands, "Publisher", Nobody)
    path = tmp_path / "invoices.csv"
    path.write_text("\n".join(ROWS) + "\n", "utf-8")
    app = typer.Typer()
    app.command()(commands.import_files)
    return lambda *words: CliRunner().invoke(app, ["--as", "numelink/billing", *words, str(path)])


def test_totals_and_counts_that_are_right_let_the_import_go_on(run: Command) -> None:
    result = run("--dry-run", "--expect-total", "1 250,00", "--expect-count", "invoice=3")
    assert result.exit_code == commands.SOME_REJECTED
    assert "control total" not in result.output


def test_another_total_publishes_nothing_and_names_what_may_explain_it(run: Command) -> None:
    result = run("--expect-total", "950.00")
    assert result.exit_code == commands.UNUSABLE
    assert "the files come to 1250.00 €, and 950.00 € was expected (a difference of 300.00 €)" in result.output
    assert (
        "look at 1 cancelled invoices (just the difference), 1 credit notes, 1 rows that were set aside"
        in result.output
    )
    assert "(exactement l'écart)" in result.output
    assert "nothing was imported" in result.output


def test_another_count_stops_it_too(run: Command) -> None:
    result = run("--expect-count", "4")
    assert (result.exit_code, "the files come to 3, and 4 was expected" in result.output) == (commands.UNUSABLE, True)


def test_a_difference_that_is_accepted_is_named_and_the_import_goes_on(run: Command) -> None:
    result = run("--expect-total", "950", "--accept-difference", "--dry-run", "--json")
    assert result.exit_code == commands.SOME_REJECTED
    assert "a difference of 300.00 €" in result.stderr
    assert json.loads(result.stdout)["files"][0]["accepted"] == 3


@pytest.mark.parametrize(
    ("option", "written"),
    [("--expect-total", "beaucoup"), ("--expect-total", "1,200"), ("--expect-total", "member=3"),
     ("--expect-count", "-3"), ("--expect-count", "12.5")],
)  # fmt: skip
def test_what_is_no_total_and_no_count_is_said(run: Command, option: str, written: str) -> None:
    result = run("--dry-run", option, written)
    assert (result.exit_code, f'{option} "{written}"' in result.output) == (commands.UNUSABLE, True)
