"""Brevo, formerly Sendinblue: contacts, and the blocklist, which is a file of its own.

The default export of contacts has no column of objections. Dates are written ``dd-mm-yyyy``, on the clock of the
account; they are read as of Paris. Source: files that several third-party readers agree on, read in November 2026.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from schemas.communications import ConsentRecorded
from services.communications.legacy.consents import NEWSLETTER, consent, moment, translated, yes
from shared.importing.named_cells import Cells
from shared.importing.outcomes import NoFact, Outcome
from shared.importing.table import Table
from shared.runtime.clock import PARIS

CONTACTS_LACK: Final = (
    "les contacts de Brevo n'ont pas de colonne d'opposition (sauf EMAIL_BLACKLISTED) : exportez aussi les contacts "
    "bloqués (Contacts › liste noire) et importez les deux",
    "Brevo's contacts have no column of objections (but EMAIL_BLACKLISTED): export the blocklisted contacts as well, "
    "and import both",
)
BLOCKLIST_LACKS: Final = (
    "la liste noire ne dit pas de quelle liste une personne s'est désinscrite : elle vaut pour toutes",
    "the blocklist does not say which list a person left: it holds for all",
)
_REASON: Final = (
    "blocklist reason", "blocklisted reason", "blacklist reason", "reason", "raison", "motif", "raison du blocage",
    "blocklist_reason", "blocked_reason",
)  # fmt: skip
_EMAIL: Final = ("EMAIL", "E-mail", "Email", "Adresse e-mail", "Email address")
_DATE: Final = ("BLOCKED_AT", "BLOCKLISTED_TIME", "Date", "MODIFIED_TIME", "ADDED_TIME")
_BOUNCED: Final = ("hard bounce", "hard_bounce", "hardbounce", "rebond", "invalid")
_MARKS: Final = frozenset({"added_time", "modified_time", "ext_id", "double_opt-in", "opt_in", "email_blacklisted"})


def is_contacts(table: Table) -> bool:
    """Whether it is an export of contacts."""
    return "email" in table.names and len(_MARKS.intersection(table.names)) >= 2


def is_blocklist(table: Table) -> bool:
    """Whether it is an export of those who are blocked."""
    has_email = any(name.casefold() in table.names for name in _EMAIL)
    return has_email and any(name in table.names for name in _REASON)


def contacts(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection where a column says so; a consent of who signed up, once or twice over."""
    form = "brevo-contacts"

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        if yes(cells, "EMAIL_BLACKLISTED"):
            return [consent(form, cells, "EMAIL", version, "refused", decided_at=moment(cells, PARIS, "MODIFIED_TIME"))]
        double, single = yes(cells, "DOUBLE_OPT-IN"), yes(cells, "OPT_IN")
        if not (double or single):
            return NoFact(cells.line, "it is in the list, and nothing says that it agreed")
        added = moment(cells, PARIS, "ADDED_TIME")
        proof = "DOUBLE_OPT-IN" if double else "OPT_IN"
        return [consent(form, cells, "EMAIL", version, "granted", purpose=NEWSLETTER, decided_at=added, proof=proof)]

    return translated(table, consents_of)


def blocklist(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection of each who is blocked but for an address that does not exist."""
    column = next(name for name in _EMAIL if name.casefold() in table.names)

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        reason = cells.text(*_REASON)
        if any(word in reason.casefold() for word in _BOUNCED):
            return NoFact(cells.line, "the address is dead, which is no objection")
        at = moment(cells, PARIS, *_DATE)
        return [consent("brevo-blocklist", cells, column, version, "withdrawn", decided_at=at, proof=reason)]

    return translated(table, consents_of)
