"""A member as billing knows it: its source records as they were described, and the days that former systems billed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from services.billing.dues.case import Cover, Key, Record
from services.billing.dues.days import Range, between
from services.billing.fees.headcount import headcount_of
from services.billing.fees.pricing import Criteria


@dataclass(frozen=True, slots=True)
class FormerBill:
    """What a former system billed a record, or counts as a term of its membership. ``source`` names it."""

    key: Key
    days: Range
    amount: Decimal
    source: str


@dataclass(frozen=True, slots=True)
class KnownMember:
    """``documents`` are the descriptions of its records, by record. ``bills`` are of any of them."""

    member_id: str
    documents: Mapping[Key, Mapping[str, Any]]
    bills: Sequence[FormerBill]

    @property
    def keys(self) -> list[Key]:
        """Its records, in order."""
        return sorted(self.documents)

    @property
    def name(self) -> str:
        """As it is shown; else as its first record says."""
        for part in ("shown", "own"):
            for key in self.keys:
                if name := (self.documents[key].get(part) or {}).get("name"):
                    return str(name)
        return str(self.keys[0])

    @property
    def departement(self) -> str:
        """As it is shown; empty if nobody knows."""
        shown = (self.documents[key].get("shown") or {} for key in self.keys)
        return next((str(each["departement"]) for each in shown if each.get("departement")), "")

    def records(self) -> tuple[Record, ...]:
        """Those that may owe something: members, and those that have ended on a day that is known."""
        return tuple(_record(key, self.documents[key]) for key in self.keys if _may_owe(self.documents[key]))

    def covers(self) -> tuple[Cover, ...]:
        """The days that former systems billed, or were paid for."""
        return tuple(Cover(bill.key, bill.days, bill.source) for bill in self.bills)


def _may_owe(document: Mapping[str, Any]) -> bool:
    """A record that only names a company owes nothing; nor one of which nobody knows when it ended."""
    if document.get("is_member") is False or document.get("status") == "pending":
        return False
    over = document.get("removed") or document.get("status") == "ended"
    return not over or bool(document.get("ended_on"))


def _record(key: Key, document: Mapping[str, Any]) -> Record:
    heads = document.get("headcount") or document.get("headcount_shown")
    return Record(
        key=key,
        since=_day(document.get("member_since")),
        ended=_day(document.get("ended_on")),
        criteria=Criteria(headcount_of(heads), str(document.get("category") or "")),
        exempt=f"d'après {key.cluster}" if document.get("exempt") else "",
    )


def terms_of(key: Key, document: Mapping[str, Any]) -> list[FormerBill]:
    """Terms of membership that the record lists, with both their days; one that is said to be free covers nothing."""
    bills: list[FormerBill] = []
    for term in document.get("terms", ()):
        amount = Decimal(term["amount"]) if term.get("amount") is not None else None
        first, last = _day(term["starts_on"]), _day(term.get("ends_on"))
        if first is None or last is None or last < first or amount == 0:
            continue
        source = f"{key.cluster}, adhésion {term['subscription_id']}"
        bills.append(FormerBill(key, between(first, last), amount or Decimal(), source))
    return bills


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
