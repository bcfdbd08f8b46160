"""Which legal bodies bill."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from schemas.billing_operations import Issuers, IssuerShown, NothingMore
from services.billing.issuers.issuer import Issuer, Settings
from services.operations.binding import Call, RefusedError
from shared.runtime.clock import Clock


async def issuers(call: Call[NothingMore]) -> Issuers:
    """All of them, with what holds today."""
    today = Clock().today()
    return Issuers(items=[_shown(issuer, today) for issuer in call.uow.issuers.values()])


def issuer_named(known: Mapping[str, Issuer], code: str) -> Issuer:
    """The issuer of this code. Raises RefusedError."""
    if code not in known:
        listed = ", ".join(sorted(known)) or "none: set TRABOULE_BILLING_ISSUERS_FILE"
        raise RefusedError("issuer-unknown", f"there is no issuer {code}; there are {listed}")
    return known[code]


def settings_on(issuer: Issuer, day: date) -> Settings:
    """What holds of it on a day. Raises RefusedError."""
    settings = issuer.on(day)
    if settings is None:
        until = f" until {issuer.until}" if issuer.until else ""
        raise RefusedError("issuer-unknown", f"{issuer.code} bills from {issuer.since} on{until}, and not on {day}")
    return settings


def _shown(issuer: Issuer, day: date) -> IssuerShown:
    settings = issuer.on(day)
    document: dict[str, Any] | None = settings.model_dump(mode="json") if settings else None
    clusters = list(issuer.clusters)
    return IssuerShown(code=issuer.code, clusters=clusters, since=issuer.since, until=issuer.until, settings=document)
