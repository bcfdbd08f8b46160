"""CiviCRM: the opt-outs of contacts. An objection is about the contact, and about the address beside it.

``On Hold`` is a bounce or an opt-out; who left a group stands in no export. Source: CiviCRM 6, ``CRM_Core_DAO_Email``
and ``CRM_Contact_DAO_Contact``.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Final

from schemas.communications import ConsentRecorded
from services.communications.consents.objections import UNDATED
from services.communications.contacts.contact import key_of
from services.communications.legacy.consents import translated, yes
from shared.importing.languages import in_both
from shared.importing.named_cells import CellError, Cells, made
from shared.importing.outcomes import NoFact, Outcome, UnreadableError
from shared.importing.table import Table

LACKS: Final = (
    "qui a quitté un groupe n'est dans aucun export de contacts : demandez, groupe par groupe, les membres « retirés »",
    "who left a group is in no export of contacts: ask for each group's removed members",
)
_BULK, _NONE, _HOLD = "No Bulk Emails (User Opt Out)", "Do Not Email", "On Hold"
_OPT_OUT, _BOUNCED, _FREE = frozenset({"2", "on hold opt out"}), frozenset({"1", "on hold bounce", "yes"}), frozenset(
    {"", "0", "no"}
)  # fmt: skip


def is_contacts(table: Table) -> bool:
    """Whether it is an export of contacts with any of the opt-outs."""
    return "contact id" in table.names and any(name.casefold() in table.names for name in (_BULK, _NONE, _HOLD))


def refuse_in_french(table: Table) -> None:
    """Raise UnreadableError for an export of a French session: not all its headers are known."""
    if "ne pas envoyer de courriel" in table.names:
        raise UnreadableError(
            in_both(
                f"{table.path} : mettez votre langue en anglais dans CiviCRM et exportez de nouveau ; ses en-têtes "
                "français ne sont pas tous connus, et une opposition pourrait se perdre",
                "set your own language to English in CiviCRM and export again: not all its French headers are known, "
                "and an objection might be lost",
            )
        )


def opt_outs(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection for each opt-out of a contact; a missing column is no answer."""

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        kinds = [("bulk-email", "bulk-email")] if yes(cells, _BULK) else []
        kinds += [("email", "email")] if yes(cells, _NONE) else []
        kinds += [("on-hold", "bulk-email")] if _is_on_hold(cells) else []
        if not kinds:
            return NoFact(cells.line, "the contact objects to nothing")
        return [_objection(cells, version, kind, channel) for kind, channel in kinds]

    return translated(table, consents_of)


def _is_on_hold(cells: Cells) -> bool:
    """Raises CellError."""
    written = cells.text(_HOLD).casefold()
    if written not in _OPT_OUT | _BOUNCED | _FREE:
        raise CellError(_HOLD, cells.text(_HOLD), "is none of No, On Hold Bounce, On Hold Opt Out, 0, 1, 2")
    return written in _OPT_OUT


def _objection(cells: Cells, version: int, kind: str, channel: str) -> ConsentRecorded:
    """Raises CellError."""
    contact, email = cells.text("Contact ID"), cells.text("Email")
    fields: dict[str, Any] = {"address": email if key_of(email) else None, "channel": channel, "purpose": "*"}
    return made(
        ConsentRecorded,
        version=version,
        consent_id=f"{contact}/{kind}" if contact else "",
        record_id=contact,
        status="refused",
        decided_at=UNDATED,
        source="import: civicrm",
        **fields,
    )
