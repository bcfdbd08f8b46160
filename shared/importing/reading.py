"""Opening an export file of any kind as a table."""

from pathlib import Path

from shared.importing.delimited import read_delimited
from shared.importing.json_lines import read_json_lines
from shared.importing.outcomes import UnreadableError
from shared.importing.table import Table


def read(path: Path, encoding: str | None = None) -> Table:
    """Open an export file; what kind it is shows in its first bytes, and JSON lines in its name.

    Raises:
        UnreadableError: missing, empty, without a header, or in an encoding that cannot be told.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableError(f"{path}: {error.strerror or error}") from None
    if not content.strip():
        raise UnreadableError(f"{path} is empty")
    try:
        if content.startswith((b"PK\x03\x04", b"\xd0\xcf\x11\xe0")):
            # Its library takes a while to load.
            from shared.importing.spreadsheet import read_spreadsheet

            return read_spreadsheet(path)
        if path.suffix.lower() in {".jsonl", ".ndjson"}:
            return read_json_lines(path, content, encoding)
        return read_delimited(path, content, encoding)
    except UnreadableError as error:
        raise UnreadableError(f"{path}: {error}") from None
