"""Every operation that a service may be asked for, in one list. Each service binds a handler to its own."""

from typing import Final

from schemas import (
    billing_charges,
    billing_corrections,
    billing_decisions,
    billing_documents,
    billing_ledger,
    billing_operations,
    billing_payments,
    billing_reminders,
    billing_series,
    dead_letters,
    events_checkin,
    events_operations,
    events_passes,
    events_public,
    events_registrations,
    mail_operations,
    parity_operations,
)
from schemas.cutover_operations import CUTOVER
from schemas.mirror import MIRRORED_RECORDS
from schemas.operation import Operation

OPERATIONS: Final[tuple[Operation, ...]] = (
    *CUTOVER,
    *parity_operations.ALL,
    MIRRORED_RECORDS,
    *dead_letters.ALL,
    *billing_operations.ALL,
    *billing_decisions.ALL,
    *billing_documents.ALL,
    *billing_corrections.ALL,
    *billing_payments.ALL,
    *billing_ledger.ALL,
    *billing_series.ALL,
    *billing_reminders.ALL,
    *billing_charges.ALL,
    *mail_operations.ALL,
    *events_operations.ALL,
    *events_registrations.ALL,
    *events_checkin.ALL,
    *events_public.ALL,
    *events_passes.ALL,
)


def operations_of(service: str) -> tuple[Operation, ...]:
    """What this service may be asked for."""
    return tuple(operation for operation in OPERATIONS if service in operation.services)
