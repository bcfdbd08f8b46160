"""The file of accounting entries (FEC) of a financial year: its columns, its name, how it writes days and amounts.

Source: art. A47 A-1 LPF, arrêté of 29 July 2013.
"""

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Final, NamedTuple

COLUMNS: Final = (
    "JournalCode", "JournalLib", "EcritureNum", "EcritureDate", "CompteNum", "CompteLib", "CompAuxNum", "CompAuxLib",
    "PieceRef", "PieceDate", "EcritureLib", "Debit", "Credit", "EcritureLet", "DateLet", "ValidDate", "Montantdevise",
    "Idevise",
)  # fmt: skip
_JOURNALS: Final[Mapping[str, str]] = {
    "VE": "Appels, factures et avoirs",
    "BQ": "Banque",
    "CA": "Caisse",
    "OD": "Opérations diverses",
}
_ACCOUNTS: Final[Mapping[str, str]] = {
    "411": "Adhérents",
    "4191": "Adhérents, avances reçues",
    "4457": "TVA collectée",
    "511": "Valeurs à l'encaissement",
    "512": "Banque",
    "53": "Caisse",
    "627": "Services bancaires",
    "706": "Prestations de services",
    "756": "Cotisations",
}
"""Labels of accounts, by how they begin."""


class EntryLine(NamedTuple):
    """A line of an entry as it is kept; ``entered_on`` is the day on which it was written.

    ``place`` is the entry's among those of all issuers and years.
    """

    journal: str
    number: int
    booked_on: date
    account: str
    auxiliary: str | None
    auxiliary_name: str | None
    piece: str
    piece_on: date
    label: str
    debit: Decimal
    credit: Decimal
    entered_on: date
    place: int


def row_of(line: EntryLine) -> list[str]:
    """The line in the columns of the file."""
    return [
        line.journal,
        _JOURNALS[line.journal],
        str(line.number),
        _day(line.booked_on),
        line.account,
        _label(line.account),
        line.auxiliary or "",
        _plain(line.auxiliary_name or line.auxiliary or ""),
        _plain(line.piece),
        _day(line.piece_on),
        _plain(line.label),
        _amount(line.debit),
        _amount(line.credit),
        "",
        "",
        _day(line.entered_on),
        "",
        "",
    ]


def name_of(siren: str, last: date) -> str:
    """The file's name: whose, and the last day of the year."""
    return f"{siren}FEC{_day(last)}.txt"


def _day(day: date) -> str:
    return f"{day:%Y%m%d}"


def _amount(amount: Decimal) -> str:
    return f"{amount:.2f}".replace(".", ",")


def _plain(text: str) -> str:
    """Without what parts columns and lines."""
    return " ".join(text.replace("|", " ").split())


def _label(account: str) -> str:
    known = [prefix for prefix in _ACCOUNTS if account.startswith(prefix)]
    return _ACCOUNTS[max(known, key=len)] if known else f"Compte {account}"
