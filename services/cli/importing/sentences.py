"""What staff read when an import ends or is stopped, in French and in English."""

from __future__ import annotations

from typing import TYPE_CHECKING

from schemas.membership import MemberRecorded
from shared.importing.languages import in_both

if TYPE_CHECKING:
    from services.cli.importing.comparison import Changes

DATABASE_LOST = in_both(
    "On ne sait pas si les fiches sont lisibles : la base de données ne répond plus.",
    "Whether the records can be read is not known: the database went away.",
)


def emptying(name: str, changes: Changes) -> str:
    """Why a file may not be imported without ``--replace``."""
    french: list[str] = []
    english: list[str] = []
    for key, count in changes.too_many.items():
        missing, field = key in changes.columns_missing, _field(key)
        pourquoi = "le fichier n'a pas cette colonne : cochez-la" if missing else "ses cellules sont vides"
        why = "the file has no column for it: tick it" if missing else "its cells are empty"
        french.append(f"{field} dans {count} fiches ({pourquoi})")
        english.append(f"{field} in {count} records ({why})")
    return in_both(
        f"{name} viderait {', '.join(french)}. Exportez de nouveau avec ces colonnes, ou dites --replace",
        f"{name} would empty {', '.join(english)}. Export again with these columns, or say --replace",
    )


def changed(name: str, changes: Changes) -> str:
    """What one file did to the records that were there."""
    french = f"{changes.new} nouvelles, {changes.changed} modifiées, {changes.unchanged} inchangées"
    english = f"{changes.new} new, {changes.changed} changed, {changes.unchanged} unchanged"
    if changes.removed:
        french += f", {changes.removed} retirées"
        english += f", {changes.removed} removed"
    if changes.older:
        french += f", {changes.older} plus anciennes que ce qui est là, donc sans effet"
        english += f", {changes.older} older than what is there and so without effect"
    emptied = ", ".join(f"{_field(key)} {count}" for key, count in changes.emptied.most_common())
    return in_both(
        f"{name} : fiches : {french} ; {f'champs vidés : {emptied}' if emptied else 'aucun champ vidé'}.",
        f"{name}: {english}; {f'fields emptied: {emptied}' if emptied else 'no field emptied'}.",
    )


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


def _field(key: str) -> str:
    return key.removeprefix("extra:")
