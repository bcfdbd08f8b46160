"""Mailchimp: audiences, as a zip holds them; the state of all addresses in a file is its name.

Times are UTC. Headers of merge fields are labels of the account, in its language: "Email Address", "Adresse e-mail".
Cleaned addresses bounced, which is no objection. Source: files that third-party readers agree on.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC
from typing import Final

from schemas.communications import ConsentRecorded
from services.communications.legacy.consents import NEWSLETTER, consent, moment, translated
from shared.importing.languages import in_both
from shared.importing.named_cells import CellError, Cells
from shared.importing.outcomes import NoFact, Outcome, UnreadableError
from shared.importing.table import Table

UNSUBSCRIBED_LACKS: Final = (
    "une archive de Mailchimp a plusieurs fichiers ; les désinscrits d'une autre audience sont dans la sienne",
    "an archive of Mailchimp has several files; who left another audience is in that one's",
)
OTHERS_LACK: Final = (
    "ce fichier de Mailchimp ne contient aucune opposition : importez aussi unsubscribed_….csv de la même archive",
    "this file of Mailchimp holds no objection: import unsubscribed_….csv of the same archive as well",
)
_STATE: Final = re.compile(r"(?:^|[^a-z])(unsubscribed|nonsubscribed|subscribed|cleaned)_", re.IGNORECASE)
_EMAIL: Final = ("Email Address", "Adresse e-mail", "Adresse email", "E-mail", "Email")


def _is_mailchimp(table: Table) -> bool:
    return {"leid", "euid"} <= set(table.names)


def _state(table: Table) -> str:
    match = _STATE.search(table.path.name)
    return match[1].casefold() if match else ""


def is_unsubscribed(table: Table) -> bool:
    """Whether its addresses unsubscribed: by its name, or by the columns that only such a file has."""
    return _is_mailchimp(table) and (_state(table) == "unsubscribed" or "unsub_time" in table.names)


def is_cleaned(table: Table) -> bool:
    """Whether its addresses bounced."""
    return _is_mailchimp(table) and (_state(table) == "cleaned" or "clean_time" in table.names)


def is_nonsubscribed(table: Table) -> bool:
    """Whether its addresses never signed up."""
    return _is_mailchimp(table) and _state(table) == "nonsubscribed"


def is_subscribed(table: Table) -> bool:
    """Whether its addresses are subscribed, by its name alone."""
    return _is_mailchimp(table) and _state(table) == "subscribed"


def refuse_without_a_state(table: Table) -> None:
    """Raise UnreadableError for a file of Mailchimp whose name does not say the state of its addresses."""
    if _is_mailchimp(table):
        raise UnreadableError(
            in_both(
                f"{table.path} : le nom d'un fichier de Mailchimp dit si ses adresses sont inscrites ; celui-ci ne le "
                "dit plus. Dites --product mailchimp-subscribed, mailchimp-nonsubscribed ou mailchimp-unsubscribed",
                "the name of a file of Mailchimp says whether its addresses are subscribed, and this one does not: say "
                "--product mailchimp-subscribed, mailchimp-nonsubscribed or mailchimp-unsubscribed",
            )
        )


def _email(cells: Cells, table: Table) -> str:
    column = next((name for name in _EMAIL if name.casefold() in table.names), None)
    if column is None:
        raise CellError("Email Address", "", "the file has no column of addresses that is known by its name")
    return column


def unsubscribed(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """An objection of each; the campaign and the reason are the proof."""

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded]:
        proof = "; ".join(filter(None, (cells.text("UNSUB_CAMPAIGN_TITLE"), cells.text("UNSUB_REASON"))))
        at = moment(cells, UTC, "UNSUB_TIME", "LAST_CHANGED")
        return [consent("mailchimp", cells, _email(cells, table), version, "withdrawn", decided_at=at, proof=proof)]

    return translated(table, consents_of)


def subscribed(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """A consent of each who signed up at a known time; who was put there by an import of the account is none."""

    def consents_of(cells: Cells) -> Sequence[ConsentRecorded] | NoFact:
        if not cells.text("OPTIN_TIME"):
            return NoFact(cells.line, "it is in the list, and nothing says that it agreed")
        at = moment(cells, UTC, "CONFIRM_TIME", "OPTIN_TIME")
        fields = {"purpose": NEWSLETTER, "decided_at": at, "proof": f"OPTIN_IP {cells.text('OPTIN_IP')}".strip()}
        return [consent("mailchimp", cells, _email(cells, table), version, "granted", **fields)]

    return translated(table, consents_of)


def cleaned(table: Table, version: int) -> Iterator[Outcome[ConsentRecorded]]:
    """Nothing: an address that bounced, or that never signed up, is neither a consent nor an objection."""
    del version
    return translated(table, lambda cells: NoFact(cells.line, "neither a consent nor an objection"))
