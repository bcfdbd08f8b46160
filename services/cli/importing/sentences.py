"""What staff read when an import ends or is stopped, in French and in English."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from schemas.membership import MemberRecorded
from services.membership.legacy.galette import PRODUCT as GALETTE
from services.membership.legacy.headers import header_of
from services.membership.legacy.identifiers import ADDED
from shared.importing.languages import in_both

if TYPE_CHECKING:
    from services.cli.importing.comparison import Changes
    from services.cli.importing.file_report import FileReport

_DYNAMIC = (
    "SIRET, N° TVA… sont dans la table galette_dynamic_fields_full.csv : importez-la dans la même commande.",
    "SIRET, N° TVA… are in the table galette_dynamic_fields_full.csv: import it in the same command.",
)
_GATHERINGS = (
    "Une liste de participants ne dit pas tout de son rassemblement : importez la table des rassemblements "
    "(event_id;title;starts_at;capacity;place…) dans la même commande, et elle seule compte.",
    "A list of participants does not say all of its gathering: import the table of gatherings "
    "(event_id;title;starts_at;capacity;place…) in the same command, and it alone counts.",
)
_STATUSES = {
    "registered": "inscrits", "waiting": "en attente", "attended": "venus", "absent": "absents", "cancelled": "annulés",
}  # fmt: skip
DATABASE_LOST = in_both(
    "On ne sait pas si les fiches sont lisibles : la base de données ne répond plus.",
    "Whether the records can be read is not known: the database went away.",
)


def emptying(report: FileReport, changes: Changes) -> str:
    """Why a file may not be imported without ``--replace``."""
    missing = [item for item in changes.too_many.items() if item[0] in changes.columns_missing]
    empty = [item for item in changes.too_many.items() if item[0] not in changes.columns_missing]
    french, english = f"{report.path.name} viderait des champs.", f"{report.path.name} would empty fields."
    if missing:
        listed = _counted(report, missing)
        french += f" Colonnes absentes du fichier, à cocher (nombre de fiches) : {listed}."
        english += f" Columns that the file does not have, tick them (records): {listed}."
    if report.product == GALETTE and any(key in ADDED for key, _ in missing):
        french += f" {_DYNAMIC[0]}"
        english += f" {_DYNAMIC[1]}"
    if any(key in ("capacity", "closes_at", "place", "sessions") for key, _ in missing):
        french += f" {_GATHERINGS[0]}"
        english += f" {_GATHERINGS[1]}"
    if empty:
        listed = _counted(report, empty)
        french += f" Colonnes dont les cellules sont vides (nombre de fiches) : {listed}."
        english += f" Columns whose cells are empty (records): {listed}."
    return in_both(
        f"{french} Exportez de nouveau avec ces colonnes, ou dites --replace",
        f"{english} Export again with these columns, or say --replace",
    )


def changed(report: FileReport, changes: Changes) -> str:
    """What one file did to the records that were there."""
    name = report.path.name
    french = f"{changes.new} nouvelles, {changes.changed} modifiées, {changes.unchanged} inchangées"
    english = f"{changes.new} new, {changes.changed} changed, {changes.unchanged} unchanged"
    if changes.removed:
        french += f", {changes.removed} retirées"
        english += f", {changes.removed} removed"
    if changes.older:
        french += f", {changes.older} plus anciennes que ce qui est là, donc sans effet"
        english += f", {changes.older} older than what is there and so without effect"
    emptied = _counted(report, changes.emptied.most_common())
    return in_both(
        f"{name} : fiches : {french} ; {f'champs vidés : {emptied}' if emptied else 'aucun champ vidé'}.",
        f"{name}: {english}; {f'fields emptied: {emptied}' if emptied else 'no field emptied'}.",
    )


def objections(report: FileReport) -> str:
    """How many a file has, and which it cannot have."""
    french, english = report.lacks.split("\n  ")
    name, count = report.path.name, report.objections
    return in_both(f"{name} : {count} oppositions ; {french}.", f"{name}: {count} objections; {english}.")


def registrations(report: FileReport) -> str:
    """How many seats a file has by status, how many rows are no registration, and what the file cannot say."""
    french, english = report.lacks.split("\n  ")
    name, seats = report.path.name, report.seats.most_common()
    places = ", ".join(f"{_STATUSES.get(status, status)} {count}" for status, count in seats) or "0"
    by_status = ", ".join(f"{status} {count}" for status, count in seats) or "0"
    reasons = "; ".join(f"{why} {count}" for why, count in report.reasons.most_common())
    sans = f" ; {report.without_fact} lignes ne font pas d'inscription (voir dessous)" if reasons else ""
    no_fact = f"; rows that are no registration ({reasons})" if reasons else ""
    return in_both(f"{name} : places : {places}{sans} ; {french}.", f"{name}: seats: {by_status}{no_fact}; {english}.")


def read_beside(name: str) -> str:
    """Of a file that makes no records of its own."""
    return in_both(
        f"{name} : lu avec les membres, dont il remplit des champs.",
        f"{name}: read beside the members, whose fields it fills.",
    )


def not_compared(service: str, variable: str) -> str:
    """Why nothing is known of what an import did."""
    return in_both(
        f"Non comparé à ce que {service} a déjà : {variable} n'est pas définie, ou --no-compare a été dit.",
        f"Not compared with what {service} keeps already: {variable} is not set, or --no-compare was said.",
    )


def readable(service: str, count: int, left: int) -> str:
    """Whether what was imported can be read: ``left`` of the records cannot yet."""
    if left:
        return in_both(
            f"{left} des {count} fiches ne sont pas encore lisibles : traboule status dit ce qui attend.",
            f"{left} of {count} records cannot be read yet: traboule status says what waits.",
        )
    if service == MemberRecorded.service:
        return in_both(f"Les vues montrent les {count} fiches.", f"The views show all {count} records now.")
    return in_both(
        f"{service} a les {count} fiches ; les vues suivent.",
        f"{service} keeps all {count} records now; the views follow.",
    )


def _counted(report: FileReport, fields: Iterable[tuple[str, int]]) -> str:
    """Columns by the headers that people see in their file, each with how many records."""
    return ", ".join(f"{_column(report.product, key)} {count}" for key, count in fields)


def _column(product: str, key: str) -> str:
    return header_of(product, key) or key.removeprefix("extra:")
