"""Which former system wrote this file, and the translator that reads it."""

import difflib
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeAlias

from services.membership.legacy import civicrm, dolibarr, galette, paheko, plain
from shared.importing.outcomes import Outcome, UnreadableError
from shared.importing.reading import Table

Translate: TypeAlias = Callable[[Table, int], Iterator[Outcome[Any]]]


class Product(NamedTuple):
    """A kind of export file: it is one when its headers hold all of one of the ``signatures``."""

    name: str
    signatures: tuple[frozenset[str], ...]
    translate: Translate


PRODUCTS: tuple[Product, ...] = (
    # A membership export has the contact's columns too, so it must be asked for first.
    Product(civicrm.MEMBERSHIPS, civicrm.MEMBERSHIP_SIGNATURES, civicrm.translate_memberships),
    Product(civicrm.CONTACTS, civicrm.CONTACT_SIGNATURES, civicrm.translate_contacts),
    Product(dolibarr.MEMBERS, dolibarr.MEMBER_SIGNATURES, dolibarr.translate_members),
    Product(dolibarr.THIRD_PARTIES, dolibarr.THIRD_PARTY_SIGNATURES, dolibarr.translate_third_parties),
    Product(galette.PRODUCT, galette.SIGNATURES, galette.translate),
    Product(paheko.PRODUCT, paheko.SIGNATURES, paheko.translate),
    Product(plain.PRODUCT, (frozenset({"record_id", "name"}),), plain.translate),
)


def recognise(table: Table) -> Product:
    """The product that wrote the file, by its headers.

    Raises:
        UnreadableError: none; the message names the nearest product and the columns it lacks.
    """
    names = set(table.names)
    for product in PRODUCTS:
        if any(signature <= names for signature in product.signatures):
            return product
    raise UnreadableError(f"{table.path}: {_nearest(names, table)}")


def _nearest(names: set[str], table: Table) -> str:
    def likeness(signature: Iterable[str]) -> float:
        return sum(_near(wanted, names) for wanted in signature)

    pairs = [(product, signature) for product in PRODUCTS for signature in product.signatures]
    product, signature = max(pairs, key=lambda pair: likeness(pair[1]) / len(pair[1]))
    shown = ", ".join(table.headers[:6])
    known = ", ".join(p.name for p in PRODUCTS)
    if likeness(signature) == 0:
        return f"no known export has these columns ({shown} …). Known: {known}. Is the first line the header?"
    lacking = ", ".join(f'"{name}"' for name in sorted(signature - names))
    return f"not recognised; nearest is {product.name}, but the column {lacking} is missing. Known: {known}"


def _near(wanted: str, names: set[str]) -> float:
    best = difflib.get_close_matches(wanted, names, n=1, cutoff=0.75)
    return difflib.SequenceMatcher(None, wanted, best[0]).ratio() if best else 0.0
