"""Who may approve: told by the key that the gateway authenticated, and never by the name in a request's body."""

from decimal import Decimal
from typing import Any

from services.billing.issuers.issuer import Settings
from services.operations.binding import Call, Identity, RefusedError


def approver(call: Call[Any], settings: Settings, amount: Decimal = Decimal(0)) -> Identity:
    """Who asks, if they may approve so much for this issuer. Raises RefusedError."""
    if call.identity is None:
        raise RefusedError("second-person", "nobody was authenticated: the gateway is of an older version, upgrade it")
    if settings.approvers and call.identity.name not in settings.approvers:
        approvers = " or ".join(settings.approvers)
        detail = f"the key {call.identity.name} is not one of those that approve for {settings.name}: {approvers}"
        raise RefusedError("second-person", detail)
    if settings.approval_limit is not None and amount > settings.approval_limit:
        limit = f"{settings.approval_limit:.2f}"
        raise RefusedError("second-person", f"it comes to {amount} €, and the limit is {limit} €: ask for less")
    return call.identity


def refuse_same_person(call: Call[Any], author: str, key_id: str | None, what: str) -> None:
    """Refuse whoever wrote it, by key or by name; ``what`` they did. Raises RefusedError."""
    names = {call.author, *([call.identity.name] if call.identity else [])}
    if author in names or (call.identity is not None and call.identity.key_id == key_id):
        raise RefusedError("second-person", f"{author} {what} it: somebody else, with a key of their own, approves it")


def key_of(call: Call[Any]) -> str | None:
    """The key that asks, as it is kept."""
    return call.identity.key_id if call.identity else None
