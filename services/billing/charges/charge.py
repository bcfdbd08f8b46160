"""What seats cost, what was billed of it, and so what is to be done. Pure."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Final

from schemas.billing_charges import ChargeState
from schemas.billing_grids import Vat
from services.billing.documents.draft import Draft, DraftLine
from services.billing.dues.case import Key
from services.billing.issuers.issuer import Issuer, Settings
from services.billing.money import rounded, vat_of

CODE: Final = "seats"
"""The code of the one line of such an invoice."""
_NOTHING: Final = Decimal("0.00")


class ImpossiblePriceError(ValueError):
    """No net amount comes to this price with its VAT; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoiced:
    """The invoice of a charge. ``gross`` and ``net`` are what credit notes left of it."""

    document_id: str
    number: str
    issuer: str
    buyer: dict[str, object]
    label: str
    vat: Vat
    account: str
    net: Decimal
    gross: Decimal


@dataclass(frozen=True, slots=True, kw_only=True)
class Charge:
    """What the seats of a registration cost now, in euros, VAT included.

    ``settled`` is what staff entered as billed elsewhere; None where they did not. ``references`` are the numbers of
    documents, or what staff entered. Not ``ours``: a former system has the gathering again.
    """

    registration_id: str
    cluster: str
    title: str
    day: date
    record: Key | None
    name: str | None
    email: str | None
    seats: int
    amount: Decimal
    settled: Decimal | None
    references: tuple[str, ...]
    ours: bool
    invoice: Invoiced | None

    @property
    def billed(self) -> Decimal:
        """Here, less what was credited, or elsewhere."""
        return self.invoice.gross if self.invoice else self.settled or _NOTHING

    @property
    def owed(self) -> Decimal:
        """What is still to be billed; negative: what is to be given back."""
        # Of what staff credited by hand nothing is billed again.
        return min(_NOTHING, self.amount - self.billed) if self.invoice else self.amount - self.billed

    def state(self, hindrance: str) -> ChargeState:
        """What is to be done; ``hindrance`` says why it cannot be billed here, and is empty if it can."""
        if not self.owed:
            return "done"
        if hindrance or (self.settled is not None and not self.invoice):
            return "by-hand"
        return "to-invoice" if self.owed > 0 else "to-credit"

    def todo(self, hindrance: str) -> str:
        """The same in a sentence."""
        amount = f"{abs(self.owed)} €"
        sentences: dict[ChargeState, str] = {
            "done": "nothing",
            "to-invoice": f"invoice {amount}",
            "to-credit": f"credit {amount}",
            "by-hand": f"credit {amount} by hand (traboule billing correct)"
            if self.invoice
            else f"{'bill' if self.owed > 0 else 'give back'} {amount} by hand, then settle it here",
        }
        state = self.state(hindrance)
        return f"{sentences[state]}: {hindrance}" if hindrance and state == "by-hand" else sentences[state]


def hindrance(charge: Charge, issuer: Issuer | None, theirs: set[str]) -> str:
    """Why this issuer cannot bill it here; empty if it can. ``theirs`` are clusters whose former system bills."""
    if not charge.ours:
        return f"{charge.cluster}/events has the gathering again: its former system asks for the money"
    if issuer is None:
        return f"no issuer bills for {charge.cluster} today"
    if charge.invoice and charge.invoice.issuer != issuer.code:
        return f"{charge.invoice.number} is of {charge.invoice.issuer}: correct it there (traboule billing correct)"
    if charge.record is None:
        return "whoever registered is a guest, of whom no postal address is known"
    if charge.record.cluster not in issuer.clusters:
        return f"{charge.record.cluster} is another body's"
    if others := sorted({charge.cluster, charge.record.cluster} & theirs):
        return f"{', '.join(f'{cluster}/billing' for cluster in others)} still bills"
    return ""


def invoice_of(charge: Charge, buyer: dict[str, object], settings: Settings) -> Draft:
    """The invoice of all its seats. Raises ImpossiblePriceError."""
    assert charge.record is not None, "a guest is billed by hand"
    vat = settings.seats_vat
    if vat is None:
        raise ImpossiblePriceError(f"{settings.name} is taxed: write `seats` with the VAT of seats into its settings")
    count = "1 place" if charge.seats == 1 else f"{charge.seats} places"
    label = f"{charge.title}, {charge.day:%d/%m/%Y}, {count}"
    line = DraftLine(
        code=CODE,
        label=label,
        amount=net_of(charge.amount, vat.rate),
        units=(),
        days=(),
        vat=vat,
        account=settings.seats.account,
    )
    return _draft(charge, buyer, line, why=f"Inscription à : {charge.title}")


def credit_of(charge: Charge) -> Draft:
    """The credit note on what was given up. Raises ImpossiblePriceError."""
    invoice = charge.invoice
    assert invoice is not None, "only what was invoiced is credited"
    line = DraftLine(
        code=CODE,
        label=f"Avoir sur {invoice.label}",
        amount=invoice.net - net_of(charge.amount, invoice.vat.rate),
        units=(),
        days=(),
        vat=invoice.vat,
        account=invoice.account,
        corrects_place=0,
    )
    return _draft(charge, invoice.buyer, line, why=f"Inscription annulée : {charge.title}", invoice=invoice)


def _draft(
    charge: Charge, buyer: dict[str, object], line: DraftLine, *, why: str, invoice: Invoiced | None = None
) -> Draft:
    assert charge.record is not None
    return Draft(
        kind="credit-note" if invoice else "invoice",
        key=charge.record,
        first=charge.day,
        last=charge.day,
        charge_id=charge.registration_id,
        buyer=buyer,
        lines=(line,),
        why=why,
        corrects=invoice.document_id if invoice else None,
        left={invoice.vat.rate: invoice.net} if invoice else {},
    )


def net_of(gross: Decimal, rate: Decimal) -> Decimal:
    """The net amount that comes to ``gross`` with VAT of ``rate`` per cent. Raises ImpossiblePriceError.

    VAT is rounded to the cent on the net amount (EN 16931, BR-CO-17), so some prices cannot be had: 0.03 € at 20 %.
    """
    net = rounded(gross * 100 / (100 + rate))
    if net + vat_of(net, rate) != gross:
        raise ImpossiblePriceError(f"no net amount comes to {gross} € with {rate} % of VAT: bill it by hand")
    return net
