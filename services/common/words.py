"""Amounts, days and moments as text in the reader's language (CLDR, by babel)."""

from datetime import date, datetime
from decimal import Decimal
from typing import Final, Literal
from zoneinfo import ZoneInfo

from babel.dates import format_date, format_datetime, get_timezone_location
from babel.numbers import format_currency

Language = Literal["fr", "en"]
LANGUAGES: Final[tuple[Language, ...]] = ("fr", "en")
_LOCALES: Final = {"fr": "fr_FR", "en": "en_GB"}
_DAY: Final = {"fr": "d MMMM y", "en": "d MMMM y"}
_FIRST: Final = {"fr": "d'er' MMMM y", "en": "d MMMM y"}
_HOUR: Final = {"fr": "H'\u00a0h\u00a0'mm", "en": "HH:mm"}
_CLOCK: Final = {"fr": "'à' H'\u00a0h\u00a0'mm", "en": "'at' HH:mm"}


def money(amount: Decimal, language: Language) -> str:
    """Euros."""
    return format_currency(amount, "EUR", locale=_LOCALES[language])


def day(value: date | None, language: Language) -> str:
    """A day with its month in letters; nothing for none."""
    return "" if value is None else format_date(value, _pattern(value, language), locale=_LOCALES[language])


def moment(value: datetime, zone: str, language: Language) -> str:
    """A moment as a clock shows it in that zone, which is named where it is not that of Paris."""
    text = local_moment(value, zone, language)
    return text if zone == "Europe/Paris" else f"{text} ({zone})"


def local_moment(value: datetime, zone: str, language: Language) -> str:
    """The same without the zone."""
    shown = value.astimezone(ZoneInfo(zone))
    pattern = f"EEEE {_pattern(shown, language)} {_CLOCK[language]}"
    return format_datetime(shown, pattern, locale=_LOCALES[language])


def clock(value: datetime, zone: str, language: Language) -> str:
    """The hour alone, such as 11 h 30, as a clock shows it in that zone."""
    return format_datetime(value.astimezone(ZoneInfo(zone)), _HOUR[language], locale=_LOCALES[language])


def zone_name(zone: str, language: Language) -> str:
    """Whose time it is, such as heure de La Réunion, Réunion time."""
    place = get_timezone_location(zone, locale=_LOCALES[language], return_city=True)
    if language == "en":
        return f"{place} time"
    return f"heure d'{place}" if place[:1] in "AEIOUYÉ" else f"heure de {place}"


def iban(account: str | None) -> str:
    """In groups of four."""
    plain = "".join((account or "").split())
    return " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def _pattern(value: date, language: Language) -> str:
    return (_FIRST if value.day == 1 else _DAY)[language]
