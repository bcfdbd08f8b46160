"""A document that is to be corrected: what is left of each line, and what a credit note may take off."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any, Final

import orjson
from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.billing_grids import Vat
from services.billing.documents.draft import DraftLine
from services.billing.dues.case import Key
from services.billing.dues.days import Days, Range, between, days_of, within
from services.billing.money import euros, parts_of, to_cents
from shared.persistence.database import json_of, rows_of

_DOCUMENT: Final = """
    select document_id::text, issuer, kind, cluster, record_id, first, last, charge_id::text, buyer
    from documents where number = $1
"""
_LINES: Final = """
    select l.place, l.code, l.label, l.amount, l.vat_regime, l.vat_rate, l.vat_code, l.account,
           coalesce((select sum(c.amount) from documents d join document_lines c using (document_id)
                     where d.corrects = l.document_id and c.corrects_place = l.place), 0),
           array(select c.label from documents d join document_lines c using (document_id)
                 where d.corrects = l.document_id and c.corrects_place = l.place),
           coalesce((select json_agg(array[lower(b.days), upper(b.days) - 1]) from billed_days b
                     where (b.document_id, b.place) = (l.document_id, l.place)), '[]')::text
    from document_lines l where l.document_id = $1::uuid order by l.place
"""


class ImpossibleCorrectionError(ValueError):
    """What was asked for cannot be credited; the message says why, and what can be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BilledLine:
    """A line as it was billed; ``left`` is its amount less what was credited, ``credits`` are labels of those lines."""

    place: int
    code: str
    label: str
    amount: Decimal
    vat: Vat
    account: str
    left: Decimal
    credits: tuple[str, ...]
    days: Days

    def credited(self, amount: Decimal | None) -> DraftLine:
        """So much of it; without an amount all that is left. Raises ImpossibleCorrectionError."""
        return self._line(f"Avoir sur {self.label}", self.left if amount is None else amount)

    def credited_for(self, span: Range) -> DraftLine | None:
        """Its part for these days; None where it bills none of them. Raises ImpossibleCorrectionError."""
        days = within(self.days, span)
        if not days:
            return None
        numbers = [_place_in(self.days, day) for item in days for day in (item.first, item.last)]
        cents = parts_of(to_cents(self.amount), numbers[0], numbers[-1] + 1, _count(self.days))
        words = f"du {days[0].first_day:%d/%m/%Y} au {days[-1].last_day:%d/%m/%Y}"
        label = f"Avoir sur {self.label}, {words}"
        if label in self.credits:
            raise ImpossibleCorrectionError(f"line {self.place} was credited {words} already")
        return self._line(label, euros(cents))

    def _line(self, label: str, amount: Decimal) -> DraftLine:
        if amount <= 0 or amount > self.left:
            raise ImpossibleCorrectionError(f"line {self.place}: {amount} € of {self.left} € that are left of it")
        return DraftLine(
            code=self.code,
            label=label,
            amount=amount,
            units=(),
            # The record still owes these days, for less: nobody else is billed for them.
            days=(),
            vat=self.vat,
            account=self.account,
            corrects_place=self.place,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Billed:
    """A document as a credit note sees it."""

    document_id: str
    issuer: str
    kind: str
    key: Key
    first: date
    last: date | None
    charge_id: str | None
    buyer: Mapping[str, Any]
    lines: tuple[BilledLine, ...]


async def billed(connection: AsyncConnection, number: str) -> Billed | None:
    """The document of this number, with what is left of its lines."""
    rows = rows_of(await connection.exec_driver_sql(_DOCUMENT, (number,)))
    if not rows:
        return None
    [(document_id, issuer, kind, cluster, record_id, first, last, charge_id, buyer)] = rows
    return Billed(
        document_id=document_id,
        issuer=issuer,
        kind=kind,
        key=Key(cluster, record_id),
        first=first,
        last=last,
        charge_id=charge_id,
        buyer=json_of(buyer),
        lines=tuple(_line(*row) for row in rows_of(await connection.exec_driver_sql(_LINES, (document_id,)))),
    )


def _line(place: int, code: str, label: str, amount: Decimal, regime: Any, rate: Decimal, vat_code: str | None,
          account: str, gone: Decimal, credits_: list[str], days: str) -> BilledLine:  # fmt: skip
    spans = [between(date.fromisoformat(a), date.fromisoformat(b)) for a, b in orjson.loads(days)]
    return BilledLine(
        place=place,
        code=code,
        label=label,
        amount=amount,
        vat=Vat(regime=regime, rate=rate, code=vat_code),
        account=account,
        left=amount - gone,
        credits=tuple(credits_),
        days=days_of(spans),
    )


def _count(days: Days) -> int:
    return sum(item.last - item.first + 1 for item in days)


def _place_in(days: Days, day: int) -> int:
    """How many of the days lie before this one."""
    return sum(min(item.last, day - 1) - item.first + 1 for item in days if item.first < day)
