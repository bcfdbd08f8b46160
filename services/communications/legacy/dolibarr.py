"""Dolibarr: targets of mass mailings, and the table of those who unsubscribed, which is in no export.

Source: ``core/modules/mailings``, ``comm/mailing/cibles.php`` and ``llx_mailing_unsubscribe`` of Dolibarr 22.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.communications import ConsentRecorded
from services.communications.legacy.consents import consent, moment, translated
from services.communications.legacy.reading import TARGETS
from shared.importing.named_cells import CellError, Cells
from shared.importing.outcomes import NoFact, Outcome
from shared.importing.table import Table
from shared.runtime.clock import PARIS

TARGETS_LACK: Final = (
    "les destinataires d'un envoi ne montrent que les désinscriptions faites par cet envoi ; demandez la table : "
    'mysql --batch -e "select * from llx_mailing_unsubscribe"',
    "the targets of a mailing show only who unsubscribed by it; ask for the table: "
    'mysql --batch -e "select * from llx_mailing_unsubscribe"',
)
UNSUBSCRIBED_LACK: Final = (
    "qui est revenu n'est plus dans cette table, et rien ne dit quand : une absence ne lève rien",
    "who came back is no longer in this table, and nothing says when: an absence lifts nothing",
)
_OBJECTS: Final = "3"
_STATUSES: Final = frozenset({"-1", "0", "1", "2", _OBJECTS})
"""-1 failed, 0 not sent, 1 sent, 2 read, 3 read and unsubscribed."""


def is_targets(table: Table) -> bool:
    """Whether it is ``targets_emailing<ID>_<date>.csv``, which has no header."""
    return table.kind == TARGETS


def is_unsubscribed(table: Table) -> bool:
    """Whether it is the dump of the table."""
    return {"email", "unsubscribegroup", "date_creat"} <= set(table.names)


def targets(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection of each who unsubscribed by this mailing."""

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        status = cells.text("status")
        if status not in _STATUSES:
            raise CellError("status", status, f"is none of {', '.join(sorted(_STATUSES))}")
        if status != _OBJECTS:
            return NoFact(cells.line, "it was written to, which is neither a consent nor an objection")
        proof = " ".join(filter(None, ("target", cells.text("source_type"), cells.text("source_id"))))
        at = moment(cells, PARIS, "tms")
        return [consent("dolibarr-targets", cells, "email", version, "withdrawn", decided_at=at, proof=proof)]

    return translated(table, consents_of)


def unsubscribed(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection of each row, also of addresses that belong to nobody."""

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded]:
        at = moment(cells, PARIS, "date_creat", "tms")
        proof = f"llx_mailing_unsubscribe {cells.text('rowid')}"
        return [consent("dolibarr-unsubscribed", cells, "email", version, "withdrawn", decided_at=at, proof=proof)]

    return translated(table, consents_of)
