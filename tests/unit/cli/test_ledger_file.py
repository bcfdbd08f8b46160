"""The file of accounting entries: written page by page, in the letters that its text asks for."""

from pathlib import Path
from typing import Any

import pytest

from services.cli.billing import ledger


def a_page(*numbers: int, following: int) -> dict[str, Any]:
    rows = [["VE", "Ventes", str(number)] for number in numbers]
    return {"file": "F.txt", "columns": ["A", "B", "C"], "rows": rows, "entries": 3, "next": following}


def test_letters_that_the_file_lacks_lose_their_accents() -> None:
    names = ["Cafe\u0301 Œuvre", "Dvořák", "Łódź – 5 €", "ﬁn", "日"]
    assert [ledger.plain(name) for name in names] == ["Café Œuvre", "Dvorák", "?ódz - 5 €", "fin", "?"]


def test_all_pages_are_written_in_order(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pages = {None: a_page(1, 2, following=70), 70: a_page(3, following=90)}
    monkeypatch.setattr(ledger, "ask", lambda _, of: pages[of.get("after")])
    ledger.ledger("merged", 2027, tmp_path)
    assert [line[-1] for line in (tmp_path / "F.txt").read_text().splitlines()] == ["C", "1", "2", "3"]


def test_a_year_that_breaks_off_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pages = {None: a_page(1, 2, following=70)}
    monkeypatch.setattr(ledger, "ask", lambda _, of: pages[of.get("after")])
    with pytest.raises(KeyError):
        ledger.ledger("merged", 2027, tmp_path)
    assert list(tmp_path.iterdir()) == []
