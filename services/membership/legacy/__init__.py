"""Which former system wrote this file, the translator that reads it, and the writer that turns it round."""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from schemas.membership import MemberRecorded
from services.membership.legacy import civicrm, dolibarr, galette, paheko, plain
from services.membership.legacy.lines import Dialect, Sheet
from services.membership.legacy.mapping import proposal, propose
from services.membership.legacy.meanings import DEFAULT, MEANINGS, Meaning, Reading
from services.membership.legacy.other_exports import recognise_other
from shared.importing.languages import in_both
from shared.importing.outcomes import Outcome, UnreadableError
from shared.importing.table import Table
from shared.runtime.clusters import Cluster, ClustersFileError


class Translate(Protocol):
    """A table's rows as facts of this version; ``reading`` is what the cluster says of its own product."""

    def __call__(self, table: Table, version: int, reading: Reading = ..., /) -> Iterator[Outcome[Any]]: ...


Write: TypeAlias = Callable[[MemberRecorded, Iterable[str]], Sheet]
"""A record, and the columns that the cluster added, to the lines of its file."""


class Product(NamedTuple):
    """A kind of export file: it is one when its headers hold all of one of the ``signatures``.

    ``software`` is what the clusters file calls the product, which may have several kinds of file: each for the records
    whose ids begin with its ``prefix``.
    """

    name: str
    signatures: tuple[frozenset[str], ...]
    translate: Translate
    software: str
    write: Write
    dialect: Dialect
    prefix: str = ""


_PLAIN_COLUMNS = frozenset({"record_id", "name"})
PRODUCTS: tuple[Product, ...] = (
    # A membership export has the contact's columns too, so it must be asked for first.
    Product(
        civicrm.MEMBERSHIPS,
        civicrm.MEMBERSHIP_SIGNATURES,
        civicrm.translate_memberships,
        "civicrm",
        civicrm.write_membership,
        civicrm.DIALECT,
        civicrm.MEMBERSHIP_PREFIX,
    ),
    Product(
        civicrm.CONTACTS,
        civicrm.CONTACT_SIGNATURES,
        civicrm.translate_contacts,
        "civicrm",
        civicrm.write_contact,
        civicrm.DIALECT,
    ),
    Product(
        dolibarr.CONTACTS,
        dolibarr.CONTACT_SIGNATURES,
        dolibarr.translate_contacts,
        "dolibarr",
        dolibarr.write_contact,
        dolibarr.DIALECT,
        dolibarr.CONTACT_PREFIX,
    ),
    Product(
        dolibarr.MEMBERS,
        dolibarr.MEMBER_SIGNATURES,
        dolibarr.translate_members,
        "dolibarr",
        dolibarr.write_member,
        dolibarr.DIALECT,
        dolibarr.MEMBER_PREFIX,
    ),
    Product(
        dolibarr.THIRD_PARTIES,
        dolibarr.THIRD_PARTY_SIGNATURES,
        dolibarr.translate_third_parties,
        "dolibarr",
        dolibarr.write_third_party,
        dolibarr.DIALECT,
    ),
    Product(galette.PRODUCT, galette.SIGNATURES, galette.translate, "galette", galette.write, galette.DIALECT),
    Product(paheko.PRODUCT, paheko.SIGNATURES, paheko.translate, "paheko", paheko.write, paheko.DIALECT),
    Product(plain.PRODUCT, (_PLAIN_COLUMNS,), plain.translate, "plain", plain.write, plain.DIALECT),
)
_NEAR_ENOUGH = 0.8
"""The share of a product's columns that must be there, or nearly, to be taken for its file with one missing."""
PLAIN = "plain"
"""The software of a former system that the clusters file says nothing of."""
SOFTWARE = tuple(sorted({product.software for product in PRODUCTS}))


def check_software(clusters: Mapping[str, Cluster], service: str) -> None:
    """Raise ClustersFileError for the first cluster whose former system is a product that nobody here can write for."""
    for code, cluster in clusters.items():
        named = cluster.products.get(service, PLAIN)
        if named not in SOFTWARE:
            raise ClustersFileError(
                f'clusters.{code}.products.{service}: there is no product "{named}"; known are {", ".join(SOFTWARE)}'
            )
        reading_of(cluster, service)


def kind_for(software: str, record_id: str) -> Product:
    """The kind of file in which this product keeps the record."""
    return next(
        product for product in PRODUCTS if product.software == software and record_id.startswith(product.prefix)
    )


def recognise(table: Table) -> Product:
    """The product that wrote the file, by its headers.

    Raises:
        UnreadableError: none; the message names the nearest product and the columns it lacks.
    """
    names = set(table.names)
    if names >= _PLAIN_COLUMNS:
        return PRODUCTS[-1]
    other = recognise_other(names)
    if other is not None:
        raise UnreadableError(f"{table.path}: {other.message}")
    for product in PRODUCTS:
        if any(signature <= names for signature in product.signatures):
            return product
    raise UnreadableError(f"{table.path}: {_nearest(names, table)}")


def product_named(name: str) -> Product:
    """The kind of file that somebody names, such as ``dolibarr-members``. Raises UnreadableError."""
    known = {product.name.lower().replace(" ", "-"): product for product in PRODUCTS}
    result = known.get(name.strip().lower().replace(" ", "-"))
    if result is None:
        raise UnreadableError(
            in_both(
                f"--product « {name} » : ce type de fichier est inconnu. Il y a {', '.join(known)}",
                f'--product "{name}" is none that is known: {", ".join(known)}',
            )
        )
    return result


def _nearest(names: set[str], table: Table) -> str:
    def likeness(signature: Iterable[str]) -> float:
        return sum(_near(wanted, names) for wanted in signature)

    pairs = [(product, signature) for product in PRODUCTS for signature in product.signatures]
    product, signature = max(pairs, key=lambda pair: likeness(pair[1]) / len(pair[1]))
    if likeness(signature) >= _NEAR_ENOUGH * len(signature):
        missing = ", ".join(f'"{name}"' for name in sorted(signature - names))
        return in_both(
            f"le fichier ressemble à {product.name}, mais il n'a pas la colonne {missing} : exportez de nouveau avec "
            "elle, ou nommez le type du fichier par --product",
            f"not recognised; nearest is {product.name}, but the column {missing} is missing: export again with it, or "
            "name the kind of the file by --product",
        )
    return in_both(*_unknown(table))


def _unknown(table: Table) -> tuple[str, str]:
    """What to say of a file that is near to none, in both languages."""
    shown = ", ".join(table.headers[:6])
    known = ", ".join(product.name for product in PRODUCTS)
    french, english = (
        f"aucun export connu n'a ces colonnes ({shown} …)",
        f"no known export has these columns ({shown} …)",
    )
    if likely := proposal(table.headers):
        return (
            f"{french}. Si c'est une liste d'adhérents, dites quelle colonne est quel champ : {likely}",
            f"{english}. If it is a list of members, say which column is which field: {likely}",
        )
    if "name" in propose(table.headers).values():
        return (
            f"{french}. Une liste d'adhérents a besoin d'une colonne qui identifie chaque fiche, telle qu'un numéro "
            "qui ne change jamais : ajoutez-la, puis dites --map",
            f"{english}. A list of members needs a column that identifies each record, such as a number that never "
            "changes: add it, then say --map",
        )
    return (
        f"{french}. La première ligne est-elle bien celle des en-têtes ? Exports connus : {known}",
        f"{english}. Is the first line the header? Known: {known}",
    )


def _near(wanted: str, names: set[str]) -> float:
    best = difflib.get_close_matches(wanted, names, n=1, cutoff=0.75)
    return difflib.SequenceMatcher(None, wanted, best[0]).ratio() if best else 0.0


def reading_of(cluster: Cluster | None, service: str = "membership") -> Reading:
    """What a cluster says its product's words mean. Raises ClustersFileError."""
    if cluster is None:
        return DEFAULT
    statuses: dict[str, Meaning] = {}
    for word, meaning in cluster.statuses.get(service, {}).items():
        if meaning not in MEANINGS:
            raise ClustersFileError(
                f'clusters.{cluster.code}.statuses.{service}."{word}": "{meaning}" is no meaning; '
                f"there are {', '.join(MEANINGS)}"
            )
        statuses[word] = meaning
    return Reading(statuses)
