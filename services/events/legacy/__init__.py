"""Participants of former events systems, as their products write them: which product wrote a file, and what it says."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from services.events.legacy import civicrm, dolibarr, galette, helloasso, mapped, odoo
from services.events.legacy.mapped import FIELDS
from services.events.legacy.rows import Source
from services.events.legacy.statuses import NO_WORDS, Words, words_of
from shared.importing.languages import in_both
from shared.importing.outcomes import Outcome, UnreadableError
from shared.importing.table import Table, normal

Translate = Callable[[Table, Source], Iterator[Outcome[Any]]]
AnyOf = tuple[str, ...]
"""Headers of which a file must have one."""
_EXPORTED: Final = re.compile(r"(?:^|-rows-of-)export[-_](?P<form>.+?)[-_]\d\d_\d\d_\d{4}[-_]\d\d_\d\d_\d{4}")
"""The name that HelloAsso gives to a file: the form, the association, from when, until when."""
_GATHERINGS: Final = frozenset({"event_id", "title", "starts_at"})


class Product(NamedTuple):
    """A form of export.

    ``fits`` tells whether a table is one; ``needs`` are columns without which its rows cannot be understood; ``lacks``
    is what such a file cannot say. ``names_gatherings``: whether its rows say which gathering they are for.
    ``members`` is the product whose people's ids it has.
    """

    code: str
    name: str
    fits: Callable[[Table], bool]
    needs: Sequence[AnyOf]
    translate: Translate
    lacks: tuple[str, str]
    names_gatherings: bool = True
    members: str | None = None

    def lacking(self, source: Source) -> str:
        """For staff: what to ask for besides, and whose ids were not taken."""
        french, english = self.lacks
        if self.members and not source.is_member_id(self.members):
            french += (
                f" ; les numéros de personnes ne sont pas ceux des adhérents ({source.members}) : tous sont des invités"
            )
            english += f"; ids of people are not those of members ({source.members}): everybody is a guest"
        if source.event_id:
            french, english = f"{french} ; event_id : {source.event_id}", f"{english}; event_id: {source.event_id}"
        return in_both(french, english)


def _has(columns: Iterable[str]) -> Callable[[Table], bool]:
    wanted = frozenset(columns)
    return lambda table: wanted <= set(table.names)


PRODUCTS: Final = (
    Product("civicrm-participants", "CiviCRM participants", _has(civicrm.HAS), civicrm.NEEDS, civicrm.translate,
            civicrm.LACKS, members="civicrm"),
    Product("helloasso-participants", "HelloAsso participants", _has(helloasso.HAS), helloasso.NEEDS,
            helloasso.translate, helloasso.LACKS, names_gatherings=False),
    Product("dolibarr-attendees", "Dolibarr attendees", _has(dolibarr.HAS_ATTENDEES), dolibarr.ATTENDEES_NEED,
            dolibarr.translate_attendees, dolibarr.ATTENDEES_LACK, members="dolibarr"),
    Product("dolibarr-agenda", "Dolibarr agenda", _has(dolibarr.HAS_AGENDA), dolibarr.AGENDA_NEEDS,
            dolibarr.translate_agenda, dolibarr.AGENDA_LACKS),
    Product("galette-bookings", "Galette bookings", _has(galette.HAS_LIST), (), galette.translate_list,
            galette.LIST_LACKS),
    Product("galette-events-bookings", "Galette table of bookings", _has(galette.HAS_BOOKINGS), galette.BOOKINGS_NEED,
            galette.translate_bookings, galette.BOOKINGS_LACK, members="galette"),
    Product("galette-events-events", "Galette table of events", _has(galette.HAS_EVENTS), (), galette.translate_events,
            galette.EVENTS_LACK),
    Product("odoo-registrations", "Odoo registrations", odoo.is_registrations, odoo.NEEDS, odoo.translate, odoo.LACKS),
    Product("eventbrite-attendees", "Eventbrite attendees", _has(mapped.HAS_EVENTBRITE), mapped.EVENTBRITE_NEEDS,
            mapped.translate_eventbrite, mapped.EVENTBRITE_LACKS, names_gatherings=False),
    Product("weezevent-participants", "Weezevent participants", _has(mapped.HAS_WEEZEVENT), (),
            mapped.translate_weezevent, mapped.WEEZEVENT_LACKS, names_gatherings=False),
    Product("registrations", "table of registrations", mapped.is_mapped, (), mapped.translate, mapped.MAPPED_LACKS,
            names_gatherings=False),
)  # fmt: skip
"""In the order in which they are asked for."""

__all__ = [
    "FIELDS", "NO_WORDS", "PRODUCTS", "Product", "Source", "Words", "event_of", "is_plain_gatherings",
    "product_of", "states_gatherings", "words_of",
]  # fmt: skip


def product_of(table: Table, code: str | None = None) -> Product | None:
    """The product that wrote the file, or the one that is named; None where none is known.

    Raises:
        UnreadableError: no product is called so; it lacks a column; or its rows are no participants.
    """
    if is_plain_gatherings(table):
        return None
    product = _named(code) if code is not None else next((each for each in PRODUCTS if each.fits(table)), None)
    if product is None:
        helloasso.refuse_others(table)
        return None
    missing = [columns for columns in product.needs if not any(normal(name) in table.names for name in columns)]
    if missing:
        _refuse_missing(table, product, missing)
    return product


def _named(code: str) -> Product:
    """Raises UnreadableError."""
    named = next((each for each in PRODUCTS if each.code == code), None)
    if named is None:
        raise UnreadableError(f'--product "{code}" is none of {", ".join(each.code for each in PRODUCTS)}')
    return named


def _refuse_missing(table: Table, product: Product, missing: Sequence[AnyOf]) -> None:
    """Raises UnreadableError."""
    french = " et ".join(" ou ".join(f"« {name} »" for name in columns) for columns in missing)
    english = " and ".join(" or ".join(f'"{name}"' for name in columns) for columns in missing)
    raise UnreadableError(
        in_both(
            f"{table.path} : c'est {product.name}, mais sans la colonne {french} ; cochez-la et exportez de nouveau",
            f"this is {product.name} without the column {english}: tick it and export again",
        )
    )


def is_plain_gatherings(table: Table) -> bool:
    """Whether it is a plain table of gatherings."""
    return set(table.names) >= _GATHERINGS


def states_gatherings(table: Table) -> bool:
    """Whether the file is there for its gatherings: their columns in lists of participants are then left alone."""
    names = set(table.names)
    return is_plain_gatherings(table) or names >= dolibarr.HAS_AGENDA or names >= galette.HAS_EVENTS


def event_of(table: Table, product: Product, given: str | None) -> str | None:
    """The gathering of all rows of a file: as it is given (``--event``), else the form in the file's name.

    None where each row says it itself.

    Raises:
        UnreadableError: the file names its own gatherings, and one was given; or neither it nor its name says any.
    """
    if product.names_gatherings:
        if given:
            raise UnreadableError(
                f'{table.path}: --event "{given}" is for files that name no gathering, and {product.name} name theirs: '
                "import it without --event"
            )
        return None
    if given or "event_id" in table.names:
        return given
    match = _EXPORTED.search(table.path.stem.casefold())
    if match is None:
        raise UnreadableError(
            in_both(
                f"{table.path} : le fichier ne dit pas de quel rassemblement il s'agit. Dites --event avec son "
                "numéro, le même à chaque import, ou rendez à un fichier de HelloAsso le nom qu'il avait "
                "(export-FORMULAIRE-ASSOCIATION-JJ_MM_AAAA-JJ_MM_AAAA.csv)",
                "the file does not say which gathering it is about: say --event with its id, the same at each import, "
                "or give a file of HelloAsso back the name that it had (export-FORM-ASSOCIATION-DD_MM_YYYY-"
                "DD_MM_YYYY.csv)",
            )
        )
    return match["form"]
