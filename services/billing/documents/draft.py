"""Documents to come: what a proposal becomes for one issuer. Pure; what is wrong is told before a number is taken.

One document never holds lines outside VAT beside others: EN 16931 forbids it (BR-O-11), so each gets its own.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from stdnum import luhn

from schemas.billing_grids import Grid, Vat
from services.billing.dues.case import Key
from services.billing.dues.days import Days
from services.billing.dues.differences import IssuedLine, Proposal, ProposedLine
from services.billing.issuers.issuer import Settings
from services.billing.money import credited_vat, euros, vat_of

Kind = Literal["invoice", "credit-note", "dues-notice"]
_NOTHING = Decimal("0.00")
_NEEDED = ("name", "street", "postcode", "city")


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftLine:
    """A line. ``corrects_place`` is the line that a credit corrects, in the corrected document."""

    code: str
    label: str
    amount: Decimal
    units: tuple[int, ...]
    days: Days
    vat: Vat
    account: str
    corrects_place: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A document without number and day. ``problem`` says why it cannot be issued; empty if it can.

    ``left`` is of a credit note alone: by rate, the net that earlier ones left of the document that it corrects.
    ``charge_id`` is the registration whose seats it is for, and ``last`` their day; None of dues, which are for a year.
    """

    kind: Kind
    key: Key
    first: date
    buyer: Mapping[str, Any]
    lines: tuple[DraftLine, ...]
    why: str
    corrects: str | None = None
    left: Mapping[Decimal, Decimal] = field(default_factory=dict[Decimal, Decimal])
    last: date | None = None
    charge_id: str | None = None

    @property
    def title(self) -> str:
        """Which document it is, as staff look for it: it has no number yet."""
        return f"{self.kind} of {self.gross} € for {self.key}"

    @property
    def net(self) -> Decimal:
        """All lines, before VAT."""
        return sum((line.amount for line in self.lines), _NOTHING)

    @property
    def vat(self) -> Decimal:
        """VAT, rounded once for each rate. Source: EN 16931, BR-CO-17.

        That of a credit may differ by a cent from its own net's: BR-CO-17 lets less than a euro pass.
        """
        sums = net_by_rate((line.vat.rate, line.amount) for line in self.lines)
        if self.kind != "credit-note":
            return sum((vat_of(net, rate) for rate, net in sums.items()), _NOTHING)
        return sum((credited_vat(net, rate, self.left.get(rate, net)) for rate, net in sums.items()), _NOTHING)

    @property
    def gross(self) -> Decimal:
        """What is to be paid."""
        return self.net + self.vat

    @property
    def problem(self) -> str:
        """What the buyer lacks. Source: art. 242 nonies A, ann. II CGI (name, address); BR-FR-12 (where to send it)."""
        missing = [name for name in _NEEDED if not self.buyer.get(name)]
        siren = self.buyer.get("siren")
        if not siren and not self.buyer.get("email"):
            missing.append("SIREN or e-mail address")
        if missing:
            return f"{self.key} has no {', '.join(missing)}: complete the member's record"
        if siren and not (len(siren) == 9 and luhn.is_valid(siren)):
            return f"{self.key} has a SIREN that is none: nine digits, of which the last one checks the others"
        return ""

    @property
    def texts(self) -> list[str]:
        """What the page will hold that others wrote."""
        written = [value for value in self.buyer.values() if isinstance(value, str)]
        return [*written, self.why, *(line.label for line in self.lines)]

    def as_json(self) -> list[Any]:
        """What a run's digest is made of: whatever changes here must be looked at anew."""
        lines = [[line.code, line.label, str(line.amount), line.units, [*map(list, line.days)]] for line in self.lines]
        return [self.kind, *self.key, self.first, dict(self.buyer), lines, self.corrects, str(self.gross)]


def net_by_rate(amounts: Iterable[tuple[Decimal, Decimal]]) -> Mapping[Decimal, Decimal]:
    """The net sum of each rate of VAT, of rates with amounts."""
    sums: defaultdict[Decimal, Decimal] = defaultdict(Decimal)
    for rate, amount in amounts:
        sums[rate] += amount
    return sums


def payer_of(issuer: str, key: Key) -> str:
    """Whose days no two lines of one issuer may bill: one uuid, for an index on texts is ten times as slow."""
    return str(uuid5(NAMESPACE_URL, f"billing/{issuer}/{key}"))


def drafts_of(
    proposal: Proposal, grid: Grid, settings: Settings, buyer: Mapping[str, Any], issued: Iterable[IssuedLine]
) -> list[Draft]:
    """The documents that a proposal becomes: one, or two where some lines are outside VAT and others are not.

    ``issued`` is what stands of the record's lines.
    """
    known = {line.code: line for line in grid.lines}
    corrected = [item for item in issued if item.document_id == proposal.corrects and item.code in known]
    groups: dict[bool, list[ProposedLine]] = {}
    for line in proposal.lines:
        groups.setdefault(known[line.code].vat.regime == "outside", []).append(line)
    return [
        Draft(
            kind=_kind(proposal, settings, outside=outside),
            key=proposal.owed.key,
            first=proposal.owed.period.first_day,
            buyer=buyer,
            lines=tuple(_line(line, grid, proposal) for line in lines),
            # As the page says it: who approves a run reads what its members will read.
            why=" ; ".join(reason.to_member for reason in proposal.reasons),
            corrects=proposal.corrects,
            left=net_by_rate((known[item.code].vat.rate, euros(item.cents)) for item in corrected),
        )
        for outside, lines in groups.items()
    ]


def _kind(proposal: Proposal, settings: Settings, *, outside: bool) -> Kind:
    if proposal.kind == "credit-note":
        return "credit-note"
    return "dues-notice" if outside and settings.document == "dues-notice" else "invoice"


def _line(line: ProposedLine, grid: Grid, proposal: Proposal) -> DraftLine:
    fee = next(each for each in grid.lines if each.code == line.code)
    return DraftLine(
        code=line.code,
        label=_label(fee.label, line.days),
        amount=euros(line.cents),
        units=line.units,
        days=line.days,
        vat=fee.vat,
        account=fee.account,
        corrects_place=line.corrects[1] if line.corrects else None,
    )


def _label(label: str, days: Days) -> str:
    """The fee and the days that it is for, as a member reads them."""
    spans = [f"du {span.first_day:%d/%m/%Y} au {span.last_day:%d/%m/%Y}" for span in days]
    return " ".join([label, ", ".join(spans)]) if spans else label


def total(drafts: Sequence[Draft]) -> Decimal:
    """Invoices less credit notes."""
    signed = (-draft.gross if draft.kind == "credit-note" else draft.gross for draft in drafts)
    return sum(signed, _NOTHING)
