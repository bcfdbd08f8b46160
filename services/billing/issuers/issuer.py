"""A legal body that issues invoices: what it is at each day, and whose members it bills."""

from collections.abc import Iterable, Mapping
from datetime import date
from decimal import Decimal
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator
from stdnum import iban, luhn
from stdnum.eu import at_02
from stdnum.exceptions import ValidationError as NumberError
from stdnum.fr import tva

from schemas.billing_grids import Grid, Vat

Regime = Literal["outside-vat", "franchise", "taxed"]
Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
_ALLOWED: Mapping[Regime, frozenset[str]] = {
    "outside-vat": frozenset({"outside"}),
    "franchise": frozenset({"outside", "franchise", "exempt"}),
    "taxed": frozenset({"outside", "exempt", "taxed"}),
}
"""How an issuer may treat VAT on a line."""


class Address(BaseModel):
    """Where it has its seat."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    street: Line
    postcode: Annotated[str, StringConstraints(pattern=r"^\d{5}$")]
    city: Line


class Accounts(BaseModel):
    """Where its books keep money, besides ``account`` and what a grid's lines are credited to. Source: plan comptable.

    ``advances`` is money of members that no document took yet, ``fees`` what the bank charges. A number begins with
    three digits (art. A47 A-1 LPF).
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    bank: Annotated[str, StringConstraints(pattern=r"^512[0-9A-Za-z]{0,10}$")] = "512"
    cheques: Annotated[str, StringConstraints(pattern=r"^511[0-9A-Za-z]{0,10}$")] = "5112"
    cards: Annotated[str, StringConstraints(pattern=r"^51[0-9][0-9A-Za-z]{0,9}$")] = "5115"
    cash: Annotated[str, StringConstraints(pattern=r"^53[0-9][0-9A-Za-z]{0,9}$")] = "530"
    advances: Annotated[str, StringConstraints(pattern=r"^4191[0-9A-Za-z]{0,10}$")] = "4191"
    vat: Annotated[str, StringConstraints(pattern=r"^4457[0-9A-Za-z]{0,10}$")] = "44571"
    fees: Annotated[str, StringConstraints(pattern=r"^627[0-9A-Za-z]{0,10}$")] = "627"


class Seats(BaseModel):
    """How it bills seats of gatherings. Without ``vat`` as its regime says; an issuer that is taxed names the rate."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    vat: Vat | None = None
    account: Annotated[str, StringConstraints(pattern=r"^7[0-9]{2,9}$")] = "706"


class Settings(BaseModel):
    """What holds from a day on. ``prefix`` begins the numbers of its documents, so that two issuers never share one."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    since: date
    name: Line
    address: Address
    siren: str
    regime: Regime
    vat_number: str | None = None
    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{0,6}$")] = ""
    document: Literal["invoice", "dues-notice"] = "invoice"
    year_starts: Annotated[str, StringConstraints(pattern=r"^(0[1-9]|1[0-2])-01$")] = "01-01"
    due_days: Annotated[int, Field(ge=0, le=60)] = 30
    penalties: Line
    discount: Line = "Pas d'escompte pour paiement anticipé"
    iban: str | None = None
    creditor_id: str | None = None
    electronic_address: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{1,80}$")] | None = None
    contact: Line | None = None
    account: Annotated[str, StringConstraints(pattern=r"^411[0-9A-Za-z]{0,10}$")] = "411"
    accounts: Accounts = Accounts()
    seats: Seats = Seats()
    approvers: tuple[Line, ...] = ()
    approval_limit: Annotated[Decimal, Field(gt=0)] | None = None

    @model_validator(mode="after")
    def _numbers_hold(self) -> Self:
        if len(self.siren) != 9 or not luhn.is_valid(self.siren):
            raise ValueError(f"siren: {self.siren} is none: nine digits, of which the last one checks the others")
        if self.regime == "taxed" and not self.vat_number:
            raise ValueError("vat_number: an issuer that is taxed has one")
        if self.regime != "taxed" and self.vat_number:
            raise ValueError(f"vat_number: an issuer in the regime {self.regime} must not show one")
        if self.seats.vat and self.seats.vat.regime not in _ALLOWED[self.regime]:
            allowed = ", ".join(sorted(_ALLOWED[self.regime]))
            raise ValueError(f"seats.vat: an issuer in the regime {self.regime} shows one of {allowed}")
        for name, value, check in (
            ("vat_number", self.vat_number, tva.validate),
            ("iban", self.iban, iban.validate),
            ("creditor_id", self.creditor_id, at_02.validate),
        ):
            try:
                if value is not None:
                    check(value)
            except NumberError:
                raise ValueError(f"{name}: its check digits do not agree: compare it with the original") from None
        if self.vat_number and not self.vat_number.replace(" ", "").endswith(self.siren):
            raise ValueError("vat_number: it must end with the SIREN")
        return self

    @property
    def seats_vat(self) -> Vat | None:
        """The VAT of seats; None where it is taxed, and nobody said at which rate."""
        by_regime = {"outside-vat": Vat(regime="outside"), "franchise": Vat(regime="franchise")}
        return self.seats.vat or by_regime.get(self.regime)


class Issuer(BaseModel):
    """One legal body. It bills the members of these clusters, from its first day to its last, both included."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    code: Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]{1,40}$")]
    clusters: Annotated[tuple[str, ...], Field(min_length=1)]
    until: date | None = None
    settings: Annotated[tuple[Settings, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        days = [each.since for each in self.settings]
        if days != sorted(set(days)):
            raise ValueError("settings: write them in the order of their days, and one for each day")
        if self.until is not None and self.until < days[0]:
            raise ValueError("until: it lies before the first day")
        return self

    @property
    def since(self) -> date:
        """Its first day."""
        return self.settings[0].since

    def last_on(self, day: date) -> Settings:
        """What holds on a day; else what holds first, or held last: money may come before it begins and after."""
        return self.on(day) or self.settings[0 if day < self.since else -1]

    def on(self, day: date) -> Settings | None:
        """What holds on a day; None where the issuer is not there."""
        if self.until is not None and day > self.until:
            return None
        return next((each for each in reversed(self.settings) if each.since <= day), None)


def overlap(issuers: Iterable[Issuer]) -> str | None:
    """Which two would bill one cluster on one day, in words; None if nobody is billed by two."""
    known: list[Issuer] = []
    for issuer in issuers:
        for other in known:
            shared = set(issuer.clusters) & set(other.clusters)
            apart = (issuer.until or date.max) < other.since or (other.until or date.max) < issuer.since
            if shared and not apart:
                return f"{other.code} and {issuer.code} would both bill {', '.join(sorted(shared))} on the same days"
        known.append(issuer)
    return None


def vat_refusal(grid: Grid, settings: Settings) -> str | None:
    """Why this issuer cannot show the VAT of this grid, in words; None if it can. Source: art. 283-3 CGI."""
    for line in grid.lines:
        if line.vat.regime not in _ALLOWED[settings.regime]:
            allowed = ", ".join(sorted(_ALLOWED[settings.regime]))
            return (
                f"line {line.code}: VAT is {line.vat.regime}, and {settings.name} is {settings.regime}: "
                f"write one of {allowed}. VAT that is shown is owed"
            )
    return None
