"""What other services answered to what was asked at the gateway, as HTTP says it."""

from typing import Any

from services.gateway.events_translations import EVENTS_PROBLEMS
from services.gateway.problems import ProblemError
from services.gateway.requests_queries import Request

PROBLEM_OF = {
    "conditions-not-met": "conditions-not-met",
    "move-impossible": "invalid-transition",
    "late-unknown": "late-message-unknown",
    "late-refused": "late-message-decided",
    "never-compared": "never-compared",
    "never-rehearsed": "never-rehearsed",
    "difference-unknown": "difference-unknown",
    "difference-ambiguous": "difference-ambiguous",
    "difference-not-open": "difference-not-open",
    "difference-not-accepted": "difference-not-accepted",
    "no-way-back": "no-write-back",
    "broker-away": "broker-unavailable",
    "asked-too-long-ago": "request-expired",
    "answer-too-long": "answer-too-long",
    "value-impossible": "value-impossible",
    "former-system-unknown": "former-system-unknown",
    "arguments-invalid": "invalid-parameters",
    "operation-unknown": "operation-unknown",
    "issuer-unknown": "issuer-unknown",
    "grid-unknown": "grid-unknown",
    "grid-invalid": "grid-invalid",
    "grid-overlaps": "grid-overlaps",
    "grid-adopted": "grid-adopted",
    "no-grid": "no-grid",
    "second-person": "second-person",
    "billed-member-unknown": "billed-member-unknown",
    "due-decision-unknown": "due-decision-unknown",
    "due-decision-invalid": "due-decision-invalid",
    "run-unknown": "run-unknown",
    "run-state": "run-state",
    "run-changed": "run-changed",
    "not-the-authority": "not-the-authority",
    "document-unknown": "document-unknown",
    "document-unready": "document-unready",
    "document-invalid": "document-invalid",
    "document-unchecked": "document-unchecked",
    "correction-impossible": "correction-impossible",
    "series-uncompared": "series-uncompared",
    "number-unknown": "number-unknown",
    "payment-unknown": "payment-unknown",
    "payment-invalid": "payment-invalid",
    "payment-key-used": "payment-key-used",
    "payment-returned": "payment-returned",
    "allocation-impossible": "allocation-impossible",
    "allocation-unknown": "allocation-unknown",
    "refund-unknown": "refund-unknown",
    "refund-state": "refund-state",
    "refund-impossible": "refund-impossible",
    "charge-unknown": "charge-unknown",
    "charge-invoiced": "charge-invoiced",
    "charge-settled": "charge-settled",
    "period-closed": "period-closed",
    "year-not-over": "year-not-over",
    "delivery-unknown": "delivery-unknown",
    "suppression-unknown": "suppression-unknown",
    "domain-not-paused": "domain-not-paused",
    "mail-forgotten": "mail-forgotten",
    "brand-unknown": "brand-unknown",
    "no-mail-file": "no-mail-file",
    "test-mail-unknown": "test-mail-unknown",
    "test-mail-not-sent": "test-mail-not-sent",
    "dead-letter-unknown": "dead-letter-unknown",
    "dead-letter-not-parked": "dead-letter-not-parked",
    "body-refused": "body-refused",
    "question-unreadable": "operation-unknown",
    **{kind: kind for kind in EVENTS_PROBLEMS},
}
"""What a service calls a refusal, and what the gateway does."""


def location_of(request_id: str) -> str:
    """Where a request can be asked for."""
    return f"/cutover/requests/{request_id}"


def system_of(asked: Request) -> str | None:
    """Its former system, if it was about one."""
    return None if asked.cluster is None else f"{asked.cluster}/{asked.service}"


def answer_of(asked: Request) -> dict[str, Any]:
    """What was done. Raises the ProblemError that it was refused with, or that its answer was forgotten."""
    if asked.answer is None:
        raise ProblemError("answer-forgotten", request=location_of(asked.request_id))
    if asked.outcome == "refused":
        raise problem_of(asked.request_id, asked.answer)
    return asked.answer


def problem_of(request_id: str, refusal: dict[str, Any]) -> ProblemError:
    """Why a command was refused, and what mends it."""
    return refused(refusal, request=location_of(request_id))


def refused(refusal: dict[str, Any], **members: Any) -> ProblemError:
    """A service's refusal as a problem."""
    details = {name: value for name, value in refusal.items() if name != "kind"}
    return ProblemError(PROBLEM_OF[refusal["kind"]], **details, **members)
