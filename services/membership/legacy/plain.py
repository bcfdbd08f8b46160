"""The plain format for members: a header of MemberRecorded's own field names, in CSV, a spreadsheet or JSON lines."""

from collections.abc import Iterator

from schemas.membership import MemberRecorded
from shared.importing import plain
from shared.importing.outcomes import Outcome
from shared.importing.reading import Table
from shared.runtime.clock import PARIS

PRODUCT = "plain table"
ALIASES = {"contact_first": "contact_first_name", "contact_last": "contact_last_name", "id": "record_id"}
"""Shorter names of columns that are understood too."""


def translate(table: Table, version: int) -> Iterator[Outcome[MemberRecorded]]:
    """One fact per row; columns that are no field go to ``extra``."""
    return plain.translate(table, MemberRecorded, version, PARIS, ALIASES)
