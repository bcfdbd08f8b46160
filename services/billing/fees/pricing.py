"""What a grid asks of one record for a whole period, line by line, and why. Pure."""

from typing import NamedTuple

from schemas.billing_grids import ByCategory, ByHeadcount, Flat, Grid, GridLine
from services.billing.dues.reasons import Reason
from services.billing.fees.headcount import Headcount
from services.billing.money import to_cents


class Criteria(NamedTuple):
    """What the price of a record depends on."""

    headcount: Headcount
    category: str


class PricedLine(NamedTuple):
    """A line of the grid for one record: ``cents`` for the whole period."""

    code: str
    cents: int
    once: bool


class Price(NamedTuple):
    """What a whole period costs. ``doubt`` says why it cannot be told, or is a guess; None: it is certain."""

    lines: tuple[PricedLine, ...]
    reasons: tuple[Reason, ...]
    doubt: Reason | None = None

    @property
    def billable(self) -> bool:
        """Whether every line has an amount."""
        return bool(self.lines)


def price_of(grid: Grid, criteria: Criteria) -> Price:
    """What this grid asks. Without lines if one of them cannot be told."""
    lines: list[PricedLine] = []
    reasons: list[Reason] = []
    doubt: Reason | None = None
    for line in grid.lines:
        cents, reason, certain = _amount(line, criteria)
        if not certain:
            doubt = doubt or reason
        if cents is None:
            return Price((), (reason,), reason)
        lines.append(PricedLine(line.code, cents, line.once))
        reasons.append(reason)
    return Price(tuple(lines), tuple(reasons), doubt)


def _amount(line: GridLine, criteria: Criteria) -> tuple[int | None, Reason, bool]:
    """Cents for the whole period or None, why, and whether it is certain."""
    match line.price:
        case Flat(amount=amount):
            return to_cents(amount), Reason("flat", {"line": line.label, "amount": str(amount)}), True
        case ByHeadcount():
            return _by_headcount(line, line.price, criteria.headcount)
        case ByCategory():
            return _by_category(line, line.price, criteria.category)


def _by_headcount(line: GridLine, price: ByHeadcount, heads: Headcount) -> tuple[int | None, Reason, bool]:
    least = _band(price, heads.least)
    if least is not None and least == _band(price, heads.most):
        band = price.bands[least]
        above = (price.bands[least - 1].up_to or 0) + 1 if least else 0
        span = {"from": str(above), "to": "" if band.up_to is None else str(band.up_to)}
        detail = {"line": line.label, "headcount": _shown(heads), **span, "amount": str(band.amount)}
        return to_cents(band.amount), Reason("band", detail), True
    what = "headcount-unread" if heads.unread or heads.least is not None else "headcount-unknown"
    if price.unknown is None:
        return None, Reason(what, {"line": line.label}), False
    return to_cents(price.unknown), Reason(what, {"line": line.label, "amount": str(price.unknown)}), False


def _band(price: ByHeadcount, heads: int | None) -> int | None:
    if heads is None:
        return None
    return next(place for place, band in enumerate(price.bands) if band.up_to is None or heads <= band.up_to)


def _shown(heads: Headcount) -> str:
    return str(heads.least) if heads.least == heads.most else f"{heads.least}–{heads.most}"


def _by_category(line: GridLine, price: ByCategory, category: str) -> tuple[int | None, Reason, bool]:
    amounts = {name.casefold(): amount for name, amount in price.amounts.items()}
    amount = amounts.get(category.strip().casefold(), price.otherwise)
    if amount is None:
        return None, Reason("category-unknown", {"line": line.label, "category": category}), False
    return to_cents(amount), Reason("category", {"line": line.label, "category": category, "amount": str(amount)}), True
