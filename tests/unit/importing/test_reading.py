import csv
import io
from datetime import date, datetime
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.importing.outcomes import UnreadableError
from shared.importing.reading import read
from shared.importing.table import Table, normal


@pytest.fixture
def file(tmp_path: Path):
    def write(content: str | bytes, name: str = "export.csv") -> Path:
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


def rows(table: Table) -> list[tuple[int, tuple[str, ...]]]:
    result = list(table.rows)
    assert all(row.fault is None for row in result), result
    return [(row.line, row.cells) for row in result]


@pytest.mark.parametrize("separator", [";", ",", "\t"])
def test_separators_are_found(file, separator):
    table = read(file(f"id{separator}name\r\n1{separator}ACME\r\n"))
    assert (table.headers, table.separator) == (("id", "name"), separator)
    assert rows(table) == [(2, ("1", "ACME"))]


def test_a_comma_in_a_quoted_header_is_no_separator(file):
    table = read(file('"Nom, prénom";"Ville"\n"Dupont, Jean";"Lyon"\n'))
    assert table.separator == ";"
    assert rows(table) == [(2, ("Dupont, Jean", "Lyon"))]


def test_excels_own_separator_line_is_no_header(file):
    table = read(file("sep=;\nid;name\n1;ACME\n"))
    assert table.headers == ("id", "name")
    assert rows(table) == [(3, ("1", "ACME"))]


def test_dolibarrs_separator_at_the_end_of_every_line(file):
    table = read(file("Id,Nom,\n1,ACME,\n2,,\n"))
    assert table.headers == ("Id", "Nom")
    assert rows(table) == [(2, ("1", "ACME")), (3, ("2", ""))]


def test_line_numbers_count_the_lines_of_the_file_not_the_rows(file):
    table = read(file('id;note\n1;"two\r\nlines"\n\n2;one\n'))
    assert rows(table) == [(2, ("1", "two\r\nlines")), (5, ("2", "one"))]


def test_headers_that_come_twice_are_both_kept(file):
    assert read(file("a;b;a\n1;2;3\n")).headers == ("a", "b", "a")


def test_ragged_rows_are_set_aside_with_their_line(file):
    result = list(read(file("a;b;c\n1;2\n1;2;3;4\n1;2;3;;\n")).rows)
    assert [(row.line, row.fault) for row in result] == [
        (2, "2 cells, fewer than the 3 of the header"),
        (3, "4 cells, more than the 3 of the header"),
        (4, None),
    ]


def test_a_missing_quote_costs_one_line_only(file):
    result = list(read(file('"a";"b"\n"1";"x"\n"2";"y\n"3";"z"\n"4";"end"\n')).rows)
    assert [(row.line, row.fault is None) for row in result] == [(2, True), (3, False), (4, True), (5, True)]


def test_a_quote_that_never_ends_costs_one_line_only(file):
    lines = "".join(f"{n};x\n" for n in range(2_000))
    result = list(read(file(f'a;b\n0;"never\n{lines}')).rows)
    assert [row.line for row in result if row.fault] == [2]
    assert len(result) == 2_001


def test_a_nul_byte_spoils_its_row_only(file):
    result = list(read(file("a;b\n1;x\x00y\n2;z\n")).rows)
    assert [row.fault for row in result] == ["holds a NUL character", None]


@pytest.mark.parametrize("content", [b"", b"\n \r\n", b"\n;;;\n", b'"never ends\n'])
def test_a_file_without_a_header_is_unreadable(file, content):
    with pytest.raises(UnreadableError, match=r"empty|header"):
        read(file(content))


def test_a_missing_file_says_its_name(tmp_path):
    with pytest.raises(UnreadableError, match=r"gone\.csv: No such file"):
        read(tmp_path / "gone.csv")


def test_a_folder_is_unreadable(tmp_path):
    with pytest.raises(UnreadableError):
        read(tmp_path)


# --- encodings


def test_utf_8_with_a_mark(file):
    table = read(file("Région;Nom\n1;2\n".encode("utf-8-sig")))
    assert (table.headers[0], table.encoding, table.assumed) == ("Région", "utf-8", False)


def test_utf_16_as_excel_saves_it(file):
    table = read(file("Région\tNom\n1\t2\n".encode("utf-16")))
    assert (table.headers, table.separator) == (("Région", "Nom"), "\t")


def test_utf_16_without_its_mark_is_not_taken_for_anything_else(file):
    with pytest.raises(UnreadableError, match="--encoding utf-16-le"):
        read(file("id;name\n1;ACME\n".encode("utf-16-le")))


def test_a_latin_1_file_keeps_its_letters(file):
    table = read(file("Société;Ville\nMüller & Cie;Saint-Étienne\n".encode("latin-1")))
    assert (table.encoding, table.assumed, table.warnings) == ("cp1252", True, ())
    assert rows(table) == [(2, ("Müller & Cie", "Saint-Étienne"))]


def test_windows_1252_apostrophes_and_euros(file):
    assert rows(read(file("a;b\nL’Abri;5 €\n".encode("cp1252")))) == [(2, ("L’Abri", "5 €"))]


def test_a_cp1250_file_is_refused_when_a_byte_proves_it(file):
    with pytest.raises(UnreadableError, match=r"line 3 .*0x9D.*--encoding cp1250"):
        read(file("a;b\n1;Lyon\n2;Šťastný\n".encode("cp1250")))


def test_a_cp1250_file_is_doubted_when_no_byte_proves_it(file):
    table = read(file("a;b\n1;Młynarska\n".encode("cp1250")))
    assert table.encoding == "cp1252"
    assert "line 2" in table.warnings[0]
    assert "--encoding cp1250" in table.warnings[0]


def test_a_cp1250_file_is_read_when_its_encoding_is_told(file):
    table = read(file("a;b\n1;Šťastný Młyn\n".encode("cp1250")), "cp1250")
    assert rows(table) == [(2, ("1", "Šťastný Młyn"))]


@pytest.mark.parametrize(("encoding", "hint"), [("cp850", "cp850"), ("mac_roman", "mac_roman")])
def test_dos_and_macintosh_files_are_doubted(file, encoding, hint):
    assert hint in read(file("a;b\n1;Société\n".encode(encoding))).warnings[0]


def test_text_that_was_encoded_twice_is_doubted(file):
    doubled = "a;b\n1;Société\n".encode().decode("latin-1").encode()
    assert "encoded twice" in read(file(doubled)).warnings[0]


def test_apostrophes_that_the_exporter_lost_are_doubted(file):
    assert "apostrophe" in read(file("a;b\n1;Café de l?entrepôt\n")).warnings[0]


@pytest.mark.parametrize("text", ["Où est-il ? Là", "Vraiment ?", "https://a.fr/x?y=é"])
def test_a_question_is_no_lost_apostrophe(file, text):
    assert read(file(f"a;b\n1;{text}\n")).warnings == ()


def test_a_utf_8_file_with_one_damaged_cell_loses_one_row(file):
    content = "a;b\n1;Société\n2;Évian\n".encode() + b"3;Soci\xe9t\xe9\n" + "4;Île à vélo\n".encode()
    table = read(file(content))
    assert table.encoding == "utf-8"
    assert "rows are set aside" in table.warnings[0]
    assert [row.fault is None for row in table.rows] == [True, True, False, True]


def test_an_encoding_that_does_not_fit_says_where(file):
    with pytest.raises(UnreadableError, match="line 2 holds the byte 0xE9, which does not exist in utf-8"):
        read(file(b"a;b\n1;\xe9\n"), "utf-8")


def test_an_encoding_that_does_not_exist(file):
    with pytest.raises(UnreadableError, match="no encoding that Python knows"):
        read(file("a;b\n"), "klingon")


# --- other kinds


def test_a_workbook_gives_what_was_typed(file, tmp_path):
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.append(["id", "siret", "since", "amount", "at", "ok", "note"])
    sheet.append([12, 73282932000074, date(2024, 2, 29), 1200.5, datetime(2024, 2, 29, 18, 30), True, "é"])  # noqa: DTZ001
    sheet.append([None] * 7)
    sheet.append([13, None, None, None, None, None, None])
    path = tmp_path / "export.xlsx"
    book.save(path)
    table = read(path)
    assert table.kind == "spreadsheet"
    assert rows(table) == [
        (2, ("12", "73282932000074", "2024-02-29", "1200.5", "2024-02-29T18:30:00", "true", "é")),
        (4, ("13", "", "", "", "", "", "")),
    ]


def test_a_workbook_with_two_sheets_says_which_is_read(tmp_path):
    book = openpyxl.Workbook()
    assert book.active is not None
    book.active.append(["id"])
    book.create_sheet("Second").append(["other"])
    book.save(tmp_path / "two.xlsx")
    assert "only the first sheet" in read(tmp_path / "two.xlsx").warnings[0]


def test_something_that_only_looks_like_a_workbook(file):
    with pytest.raises(UnreadableError, match="not a spreadsheet"):
        read(file(b"PK\x03\x04 and then nothing", "broken.xlsx"))


def test_json_lines_keep_numbers_as_written(file):
    table = read(
        file('{"id": 1, "amount": 1200.10}\n\n{"id": "2", "list": [1], "none": null, "ok": true}\n', "a.jsonl")
    )
    assert table.headers == ("id", "amount", "list", "none", "ok")
    assert rows(table) == [(1, ("1", "1200.10", "", "", "")), (3, ("2", "", '["1"]', "", "true"))]


def test_lines_that_are_no_json_object_are_set_aside(file):
    result = list(read(file('{"id": 1}\n[1]\n{"id":\n{"id": NaN}\n', "a.jsonl")).rows)
    assert [row.fault is None for row in result] == [True, False, False, False]
    assert result[1].fault == "not a JSON object"


# --- whatever people write

cells = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=12)


@given(st.data(), st.integers(1, 5), st.sampled_from([";", ",", "\t"]), st.sampled_from(["\n", "\r\n"]))
def test_what_a_program_writes_is_what_is_read(tmp_path_factory, data, width, separator, end):
    headers = [f"column {n}" for n in range(width)]
    written = data.draw(st.lists(st.lists(cells, min_size=width, max_size=width), max_size=8))
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=separator, lineterminator=end, quoting=csv.QUOTE_ALL)
    writer.writerows([headers, *written])
    path = tmp_path_factory.mktemp("csv") / "export.csv"
    path.write_bytes(out.getvalue().encode())
    table = read(path)
    filled = [tuple(row) for row in written if any(cell and not cell.isspace() for cell in row)]
    assert [row.cells for row in table.rows] == filled


@given(st.binary(max_size=200))
def test_no_bytes_at_all_make_anything_but_a_table_or_a_clear_refusal(tmp_path_factory, content):
    path = tmp_path_factory.mktemp("any") / "export.csv"
    path.write_bytes(content)
    try:
        table = read(path)
    except UnreadableError:
        return
    for row in table.rows:
        assert row.fault is not None or len(row.cells) == len(table.headers)


@pytest.mark.parametrize(
    ("header", "expected"),
    [("Nom ", "nom"), ("Région\u202f", "région"), ("Date d’échéance", "date d'échéance"), ("N°\u00a0TVA", "n° tva")],
)
def test_headers_are_compared_without_their_typography(header, expected):
    assert normal(header) == expected
