"""Sympa's dumps and lists of subscribers, and Mailman's members: whoever is in a list receives it.

``reception nomail`` and ``suspend`` are no objections but a pause. Who left is in none of these files. Source: Sympa's
own ``Sympa::List`` and Mailman's ``list_members``.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.communications import ConsentRecorded
from services.communications.legacy.consents import consent, since_1970, translated
from services.communications.legacy.reading import ADDRESSES, SYMPA_DUMP
from shared.importing.named_cells import Cells
from shared.importing.outcomes import NoFact, Outcome
from shared.importing.table import Table

SYMPA_LACKS: Final = (
    "Sympa ne garde pas ceux qui sont partis : aucune opposition ne peut être dans ce fichier ; demandez la table "
    "exclusion_table, et le journal des départs",
    "Sympa does not keep who left: this file cannot hold any objection; ask for the table exclusion_table, and for the "
    "log of those who left",
)
MAILMAN_LACKS: Final = (
    "une liste d'adresses ne contient aucune opposition, ni qui a suspendu la réception : demandez les départs",
    "a list of addresses holds no objection, nor who paused delivery: ask for those who left",
)
_PAUSED: Final = frozenset({"nomail"})


def is_dump(table: Table) -> bool:
    """Whether it is Sympa's ``member.dump``."""
    return table.kind == SYMPA_DUMP


def is_subscribers(table: Table) -> bool:
    """Whether it is what Sympa's web page exports: addresses below a comment."""
    if table.kind != ADDRESSES:
        return False
    with table.path.open("rb") as file:
        return file.readline().lstrip(b"\xef\xbb\xbf").startswith(b"# Exported subscribers")


def is_mailman(table: Table) -> bool:
    """Whether it is a bare list of addresses."""
    return table.kind == ADDRESSES and not is_subscribers(table)


def members(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """A consent of each to the list, which is called after the file; who paused makes none."""
    form = "sympa" if table.kind == SYMPA_DUMP or is_subscribers(table) else "mailman"
    purpose = table.path.stem.partition(".")[0] or form

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        if cells.text("reception") in _PAUSED or cells.text("suspend") == "1":
            return NoFact(cells.line, "delivery is paused, which is neither a consent nor an objection")
        at = since_1970(cells, "date")
        return [consent(f"{form}/{purpose}"[:100], cells, "email", version, "granted", purpose=purpose, decided_at=at)]

    return translated(table, consents_of)
