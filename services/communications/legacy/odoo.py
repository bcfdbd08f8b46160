"""Odoo: contacts of mailing lists with their opt-outs, and the blacklist, which is a table of its own.

Headers are English labels or, where the export is "import-compatible", technical names; French ones were not confirmed.
Source: ``mass_mailing`` and ``mail.blacklist`` of Odoo 17 to 19. Times are UTC.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Final

from schemas.communications import ConsentRecorded
from services.communications.legacy.consents import EVERY_PURPOSE, address_id, consent, moment, translated, yes
from services.communications.suppressions.address import AddressError
from shared.importing.named_cells import CellError, Cells
from shared.importing.outcomes import NoFact, Outcome
from shared.importing.table import Table

CONTACTS_LACK: Final = (
    "l'opposition à tout est dans la liste noire d'Odoo (mail.blacklist), une table à part : exportez-la aussi",
    "who objects to everything is in Odoo's blacklist (mail.blacklist), a table of its own: export it as well",
)
BLACKLIST_LACKS: Final = (
    "qui a quitté une seule liste n'est pas dans la liste noire : exportez aussi les contacts des listes, avec Opt Out",
    "who left one list is not in the blacklist: export the lists' contacts too, with Opt Out",
)
_EMAIL: Final = ("Email", "email", "Email Address")
_LISTS: Final = ("Mailing Lists", "list_ids", "Mailing List", "Subscription Information/Mailing List",
                 "subscription_ids/list_id", "subscription_ids/list_id/name")  # fmt: skip
_OPT_OUT: Final = ("Opt Out", "opt_out", "Subscription Information/Opt Out", "subscription_ids/opt_out")
_BLACK: Final = ("Blacklist", "is_blacklisted", "Blacklisted")
_ACTIVE: Final = ("Active", "active")
_SINCE: Final = ("Unsubscription Date", "unsubscription_date", "subscription_ids/opt_out_datetime")


def _has(table: Table, names: Sequence[str]) -> bool:
    return any(name.casefold() in table.names for name in names)


def is_blacklist(table: Table) -> bool:
    """Whether it is the blacklist."""
    return _has(table, _EMAIL) and _has(table, _ACTIVE) and not _has(table, _LISTS)


def is_contacts(table: Table) -> bool:
    """Whether it is contacts of lists."""
    return _has(table, _EMAIL) and (_has(table, _LISTS) or _has(table, _OPT_OUT))


def blacklist(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection of each address that is on it; one that was taken off is no more there, and lifts nothing."""

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        if yes(cells, *_ACTIVE) is False:
            return NoFact(cells.line, "it was taken off the list, which lifts no objection that is known here")
        at = moment(cells, UTC, "Created on", "create_date")
        return [consent("odoo-blacklist", cells, _column(table), version, "refused", decided_at=at)]

    return translated(table, consents_of)


def contacts(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection of each opt-out: to its list where one is named, else to all."""
    column = _column(table)

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        name = cells.text(*_LISTS)
        purpose = name if name and "," not in name else EVERY_PURPOSE
        if yes(cells, *_BLACK):
            purpose = EVERY_PURPOSE
        elif not yes(cells, *_OPT_OUT):
            return NoFact(cells.line, "it is in the list, and nothing says that it agreed")
        try:
            consent_id = address_id(f"odoo/{purpose}"[:100], cells.text(column))
        except AddressError as error:
            raise CellError(column, cells.text(column), str(error)) from None
        at = moment(cells, UTC, *_SINCE)
        fields = {"consent_id": consent_id, "purpose": purpose, "decided_at": at}
        return [consent("odoo", cells, column, version, "refused", **fields)]

    return translated(table, consents_of)


def _column(table: Table) -> str:
    return next(name for name in _EMAIL if name.casefold() in table.names)
