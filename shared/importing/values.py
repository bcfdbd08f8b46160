"""Days, instants, amounts and yes/no as people and programs write them in France. Anything else is a ValueError."""

import re
from datetime import date, datetime, tzinfo
from decimal import ROUND_HALF_UP, Decimal

_SPACES = re.compile(r"[\s\u00a0\u202f\u2009]+")
_NO_DAY = frozenset({"", "00/00/0000", "0000-00-00", "0000/00/00", "00-00-0000"})
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})")
_FRENCH = re.compile(r"(\d{1,2})[/.-](\d{1,2})[/.-](\d{4})")
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})")
_TIME = re.compile(r"[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?$")
_AMOUNT = re.compile(r"([+-]?)(\d+)(?:[.](\d+))?")
_YES = frozenset({"oui", "yes", "true", "vrai", "1", "o", "y", "x"})
_NO = frozenset({"non", "no", "false", "faux", "0", "n"})


def day(written: str) -> date | None:
    """A calendar day from ``31/12/2024``, ``2024-12-31`` or ``20241231``, with or without a time of day.

    Nothing, or only zeros as MySQL writes it, is None.

    Raises:
        ValueError: no such day, a form that could mean two days, a year outside 1850–2200, or 1970-01-01, which is
            how many systems write a day that they could not read.
    """
    text = _TIME.sub("", written.strip())
    if text in _NO_DAY:
        return None
    if match := _ISO.fullmatch(text) or _COMPACT.fullmatch(text):
        year, month, number = match.groups()
    elif match := _FRENCH.fullmatch(text):
        number, month, year = match.groups()
    else:
        raise ValueError("not a date: write 31/12/2024 or 2024-12-31")
    try:
        read = date(int(year), int(month), int(number))
    except ValueError:
        raise ValueError("there is no such day (days come before months: 31/12/2024)") from None
    if read == date(1970, 1, 1):
        raise ValueError("1970-01-01 is how many systems write an unreadable date: leave the cell empty")
    if not 1850 <= read.year <= 2200:
        raise ValueError("the year must lie between 1850 and 2200")
    return read


def moment(written: str, zone: tzinfo) -> datetime | None:
    """An instant; ``zone`` is where the clock hung when no offset from UTC is written.

    Raises:
        ValueError: neither RFC 3339 nor ``31/12/2024 18:30``.
    """
    text = written.strip()
    match = _FRENCH.match(text)
    if match:
        number, month, year = match.groups()
        text = f"{year}-{month:0>2}-{number:0>2}{text[match.end() :]}"
    if text[:10] in _NO_DAY:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError("not a date and time: write 2024-12-31T18:30:00+01:00") from None
    return read if read.tzinfo is not None else read.replace(tzinfo=zone)


def amount(written: str) -> Decimal | None:
    """Euros and cents from ``1200``, ``1 200,00 €``, ``1.200,50`` or ``1,200.50``; nothing is None.

    Raises:
        ValueError: not an amount, a part of a cent, or a mark followed by three digits (``1,200``) that could be
            thousands or decimals.
    """
    text = _SPACES.sub("", written).upper().removesuffix("€").removesuffix("EUR").removeprefix("€")
    if not text:
        return None
    last = max(text.rfind(","), text.rfind("."))
    if last >= 0:
        mark, other = text[last], "." if text[last] == "," else ","
        whole, decimals = text[:last], text[last + 1 :]
        if mark in whole:
            raise ValueError("not an amount")
        single_mark = other not in whole
        if single_mark and len(decimals) == 3 and re.fullmatch(r"[+-]?[1-9]\d{0,2}", whole):
            raise ValueError("could be thousands or decimals: write 1200,00")
        if not single_mark and not re.fullmatch(rf"[+-]?\d{{1,3}}(?:\{other}\d{{3}})+", whole):
            raise ValueError("not an amount: thousands come in groups of three digits")
        text = whole.replace(other, "") + "." + decimals
    match = _AMOUNT.fullmatch(text)
    if not match:
        raise ValueError("not an amount: write 1200,00")
    sign, whole, decimals = match[1], match[2], (match[3] or "").rstrip("0")
    if len(decimals) > 2:
        raise ValueError("more than two decimals")
    return Decimal(f"{sign}{whole}.{decimals:0<2}")


def number(written: str) -> Decimal | None:
    """A quantity, a price of one or a rate: ``2.50000000``, ``2,5``, ``20 %``; to six decimals. Nothing is None.

    Raises:
        ValueError: not a number. Thousands have no mark here: three digits after a mark are decimals.
    """
    text = _SPACES.sub("", written).removesuffix("%").replace(",", ".")
    if not text:
        return None
    if not _AMOUNT.fullmatch(text):
        raise ValueError("not a number: write 2,5")
    return Decimal(text).quantize(Decimal("0.000001"), ROUND_HALF_UP)


def yes(written: str) -> bool | None:
    """Yes or no in French or English, or as a program writes it; nothing is None.

    Raises:
        ValueError: anything else.
    """
    text = written.strip().casefold()
    if not text:
        return None
    if text in _YES:
        return True
    if text in _NO:
        return False
    raise ValueError("neither yes nor no: write Oui or Non")
