import csv
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.importing import rejects
from shared.importing.cells import former, harmless
from shared.importing.outcomes import Rejection

RUN = "=+-@\uff1d\uff0b\uff0d\uff20"
"""What a spreadsheet takes for the beginning of a formula."""


def test_the_file_exists_only_if_there_is_something_in_it(tmp_path):
    assert rejects.write(tmp_path / "r.csv", []) is False
    assert not (tmp_path / "r.csv").exists()


def test_a_spreadsheet_can_open_it(tmp_path):
    fault = Rejection(12, "A-1", "Date création", "31/02/2023", "there is no such day")
    assert rejects.write(tmp_path / "r.csv", [(Path("/x/export.csv"), fault)])
    content = (tmp_path / "r.csv").read_bytes()
    assert content.startswith(b'\xef\xbb\xbf"file";"line";"record_id";"field";"value";"reason"')
    [row] = csv.DictReader(content.decode("utf-8-sig").splitlines(), delimiter=";")
    assert (row["file"], row["line"], row["value"]) == ("export.csv", "12", "31/02/2023")


def test_damaged_bytes_and_formulas_are_written_harmlessly(tmp_path):
    fault = Rejection(2, None, "row", "=HYPERLINK(1)\udce9", "holds bytes")
    assert rejects.write(tmp_path / "r.csv", [(Path("a.csv"), fault)])
    text = (tmp_path / "r.csv").read_text("utf-8-sig")
    assert "'=HYPERLINK(1)\\udce9" in text


@pytest.mark.parametrize(
    "value",
    [
        "+33 4 72 00 00 00",
        "-5",
        "\n=1+1",
        "\t=1+1",
        "\uff1dcmd()",
        "\uff0b1",
        "\uff0d1",
        "\uff20x",
        "'=1+1",
        "x,=cmd()",
        "x;y;+1",
    ],
)
def test_no_cell_begins_a_formula_however_it_is_split_and_reading_gives_the_former_value(tmp_path, value):
    fault = Rejection(2, value, "name", value, "why")
    rejects.write(tmp_path / "r.csv", [(Path("a.csv"), fault)])
    text = (tmp_path / "r.csv").read_text("utf-8-sig").replace('"', "").split("why")[1]
    assert not any(item[:1] in RUN for item in re.split(r"[,;|\t\r\n]", text) if item)
    [row] = rejects.read(tmp_path / "r.csv")
    assert (row["record_id"], row["value"], row["line"]) == (value, value, "2")


@given(st.text(alphabet="'=+-@\t\r\n,;|\uff1d\uff0b\uff0d\uff20a ", max_size=12))
def test_every_text_comes_back_and_no_two_are_written_alike(text):
    cell = harmless(text)
    assert former(cell) == text
    assert former(harmless(cell)) == cell
    assert all(item[:1] not in RUN for item in re.split(r"[,;|\t\r\n]", cell) if item)
