"""An OpenDocument file with white space between its cells, as Paheko writes it, is read as one without."""

import zipfile
from pathlib import Path

import pytest

from shared.importing.outcomes import UnreadableError
from shared.importing.reading import read

CONTENT = """<?xml version="1.0" encoding="UTF-8"?>
<office:document-content
    xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0"
    xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0"
    xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0">
  <office:body>
    <office:spreadsheet>
      <table:table table:name="Membres">
        <table:table-row>
          <table:table-cell office:value-type="string"><text:p>Numéro de membre</text:p></table:table-cell>
          <table:table-cell office:value-type="string">
            <text:p>Nom &amp; prénom</text:p>
          </table:table-cell>
        </table:table-row>
        <table:table-row>
          <table:table-cell office:value-type="float" office:value="5"><text:p>5</text:p></table:table-cell>
          <table:table-cell office:value-type="string"><text:p>Atelier  Vélo</text:p></table:table-cell>
        </table:table-row>
      </table:table>
    </office:spreadsheet>
  </office:body>
</office:document-content>
"""
TYPE = "application/vnd.oasis.opendocument.spreadsheet"


def a_file(folder: Path, content: str) -> Path:
    path = folder / "membres.ods"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", TYPE)
        archive.writestr("content.xml", content)
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )
    return path


def test_white_space_between_cells_is_nothing(tmp_path: Path) -> None:
    table = read(a_file(tmp_path, CONTENT))
    assert table.headers == ("Numéro de membre", "Nom & prénom")
    assert [row.cells for row in table.rows] == [("5", "Atelier  Vélo")]


def test_a_file_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="not a spreadsheet that can be read"):
        read(a_file(tmp_path, "<broken"))
