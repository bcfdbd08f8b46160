"""What is sent: invoices of about 1 KB, as single events, as batches of 500 and as Celery tasks. The same each time."""

import json
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from functools import lru_cache
from random import Random
from typing import Any

from schemas.billing import InvoiceRecorded
from schemas.envelope import encode, routing_key, source_of

CLUSTER = "numelink"
SOURCE = source_of(CLUSTER, "billing")
KEY = routing_key(CLUSTER, InvoiceRecorded)
BATCH = 500
CELERY_QUEUE = "bench.celery"
CELERY_TASK = "record_invoice"
_WORDS = (
    "cotisation",
    "adhésion",
    "numérique",
    "cluster",
    "atelier",
    "filière",
    "salon",
    "annuaire",
    "région",
    "entreprise",
    "logiciel",
    "réseau",
)
_LABEL = 500
"""Letters of label that bring an event to about 1,000 bytes."""


@dataclass(frozen=True)
class Load:
    """A message ready to publish, and how many facts it holds."""

    body: bytes
    content_type: str
    message_id: str
    events: int
    headers: dict[str, Any] = field(default_factory=dict)


@lru_cache
def invoices(count: int) -> tuple[InvoiceRecorded, ...]:
    """``count`` invoices; the first ones of a longer series are those of a shorter."""
    rng = Random(7)
    return tuple(_invoice(rng, number) for number in range(count))


def _invoice(rng: Random, number: int) -> InvoiceRecorded:
    net = Decimal(rng.randrange(10_000, 200_000)) / 100
    vat = (net / 5).quantize(Decimal("0.01"))
    label = f"Cotisation {number}:"
    while len(label) < _LABEL:
        label += " " + rng.choice(_WORDS)
    return InvoiceRecorded(
        version=1_700_000_000_000_000 + number,
        invoice_id=f"FA{number:07d}",
        record_id=f"B-{rng.randrange(10_000):06d}",
        number=f"2026-{number:07d}",
        status=rng.choice(["issued", "paid"]),
        label=label,
        issued_on=date(2026, rng.randint(1, 11), rng.randint(1, 28)),
        due_on=date(2026, 12, rng.randint(1, 28)),
        period_starts_on=date(2026, 1, 1),
        period_ends_on=date(2026, 12, 31),
        net=net,
        vat=vat,
        gross=net + vat,
    )


@lru_cache
def singles(count: int) -> tuple[Load, ...]:
    """One structured CloudEvent for each invoice."""
    return tuple(_load([fact]) for fact in invoices(count))


@lru_cache
def batches(count: int) -> tuple[Load, ...]:
    """CloudEvents batches of 500 invoices."""
    facts = invoices(count)
    return tuple(_load(facts[start : start + BATCH]) for start in range(0, count, BATCH))


@lru_cache
def celery_tasks(count: int) -> tuple[Load, ...]:
    """The same single events as arguments of a Celery task (its message protocol 2)."""
    return tuple(_task(single) for single in singles(count))


def _load(facts: Any) -> Load:
    encoded = encode(SOURCE, facts)
    return Load(encoded.body, encoded.content_type, encoded.message_id, encoded.events)


def _task(item: Load) -> Load:
    headers = {"lang": "py", "task": CELERY_TASK, "id": item.message_id, "root_id": item.message_id, "retries": 0}
    body = json.dumps([[item.body.decode()], {}, {}]).encode()
    return Load(body, "application/json", item.message_id, 1, headers)
