import csv
from pathlib import Path

from shared.importing import rejects
from shared.importing.outcomes import Rejection


def test_the_file_exists_only_if_there_is_something_in_it(tmp_path):
    assert rejects.write(tmp_path / "r.csv", []) is False
    assert not (tmp_path / "r.csv").exists()


def test_a_spreadsheet_can_open_it(tmp_path):
    fault = Rejection(12, "A-1", "Date création", "31/02/2023", "there is no such day")
    assert rejects.write(tmp_path / "r.csv", [(Path("/x/export.csv"), fault)])
    content = (tmp_path / "r.csv").read_bytes()
    assert content.startswith(b"\xef\xbb\xbffile;line;record_id;field;value;reason")
    [row] = csv.DictReader(content.decode("utf-8-sig").splitlines(), delimiter=";")
    assert (row["file"], row["line"], row["value"]) == ("export.csv", "12", "31/02/2023")


def test_damaged_bytes_and_formulas_are_written_harmlessly(tmp_path):
    fault = Rejection(2, None, "row", "=HYPERLINK(1)\udce9", "holds bytes")
    assert rejects.write(tmp_path / "r.csv", [(Path("a.csv"), fault)])
    text = (tmp_path / "r.csv").read_text("utf-8-sig")
    assert "'=HYPERLINK(1)\\udce9" in text
