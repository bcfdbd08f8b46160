"""Billing exports of former systems, as their products write them: which product wrote a file, and what it says."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from services.billing.legacy import civicrm, dolibarr, galette, helloasso, paheko
from services.billing.legacy.payers import MEMBERS, Names, is_plain_members, names_of_plain
from shared.importing.languages import in_both
from shared.importing.outcomes import Outcome, UnreadableError
from shared.importing.table import Table

_NAME_PAYERS: Final = (
    galette.is_contributions, paheko.is_entries, helloasso.is_memberships, helloasso.is_payments,
)  # fmt: skip
_LISTS: Final = (
    (galette.is_members, galette.names_of),
    (paheko.is_members, paheko.names_of),
    (is_plain_members, names_of_plain),
)
Translate = Callable[[Table, int], Iterator[Outcome[Any]]]


class Product(NamedTuple):
    """A kind of export: a file is one when it has all columns of ``has``, by their normal names.

    ``needs`` are those without which rows cannot be told apart or understood, with what to tick for each.
    """

    name: str
    has: frozenset[str]
    needs: dict[str, str]
    translate: Translate


PRODUCTS: Final = (
    Product(dolibarr.PAYMENTS, dolibarr.HAS_PAYMENTS, dolibarr.PAYMENT_NEEDS, dolibarr.translate_payments),
    Product(dolibarr.LINES, dolibarr.HAS_LINES, dolibarr.INVOICE_NEEDS, dolibarr.translate_lines),
    Product(dolibarr.INVOICES, dolibarr.HAS_INVOICES, dolibarr.INVOICE_NEEDS, dolibarr.translate_lines),
    Product(civicrm.CONTRIBUTIONS, civicrm.HAS, civicrm.NEEDS, civicrm.translate),
)
"""Those that stand alone, in the order in which they are asked for."""

__all__ = ["MEMBERS", "Names", "payers", "recognise", "translator"]


def recognise(table: Table) -> Product | None:
    """The product that wrote the file; None where none is known.

    Raises:
        UnreadableError: it lacks a column that makes its rows distinct; the message says what to tick.
    """
    names = set(table.names)
    product = next((each for each in PRODUCTS if each.has <= names), None)
    if product is None:
        return None
    _refuse_missing(table, product.name, product.needs)
    return product


def _refuse_missing(table: Table, product: str, needs: Mapping[str, str]) -> None:
    """Raises UnreadableError."""
    missing = [label for name, label in needs.items() if name not in table.names]
    if missing:
        listed = ", ".join(f"« {label} »" for label in missing)
        raise UnreadableError(
            in_both(
                f"{table.path} : c'est {product}, mais sans {listed} deux lignes égales n'en font qu'une ; "
                f"cochez {listed} et exportez de nouveau",
                f"without {', '.join(missing)} its rows cannot be told apart: tick it and export again",
            )
        )


def payers(tables: Sequence[Table]) -> tuple[Names, dict[Path, int]]:
    """Who contributions may name, and how many rows each list of members has that says so.

    Raises UnreadableError where files that name their payers alone come without the list of members.
    """
    named = [table for table in tables if any(names_payers(table) for names_payers in _NAME_PAYERS)]
    lists = [(table, names_of) for table in tables for is_list, names_of in _LISTS if is_list(table)]
    if named and len(lists) != 1:
        raise UnreadableError(
            in_both(
                f"{named[0].path} : ce fichier nomme le payeur sans son numéro ; importez avec lui la liste des "
                "membres, dans la même commande",
                "it names the payer without an id: import the list of members with it",
            )
        )
    if not named:
        return {}, {}
    [(members, names_of)] = lists
    names, count = names_of(members)
    return names, {members.path: count}


def translator(table: Table, names: Names) -> tuple[str, Callable[[int], Iterator[Outcome[Any]]]] | None:
    """The name of the file's kind, and its rows as facts of a version; None where no product is known.

    Raises UnreadableError, as :func:`recognise`.
    """
    if galette.is_contributions(table):
        return galette.CONTRIBUTIONS, lambda version: galette.translate(table, version, names)
    if paheko.is_entries(table):
        return paheko.ENTRIES, lambda version: paheko.translate(table, version, names)
    if helloasso.is_memberships(table):
        return helloasso.MEMBERSHIPS, lambda version: helloasso.translate_memberships(table, version, names)
    if helloasso.is_payments(table):
        _refuse_missing(table, helloasso.PAYMENTS, helloasso.NEEDS)
        return helloasso.PAYMENTS, lambda version: helloasso.translate_payments(table, version, names)
    product = recognise(table)
    return None if product is None else (product.name, lambda version: product.translate(table, version))
