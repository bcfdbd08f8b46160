"""The rows that a message becomes, for those who do without our own code: the same that billing writes."""

from hashlib import blake2b
from typing import Any

import orjson

COLUMNS = (
    "cluster",
    "invoice_id",
    "version",
    "digest",
    "record_id",
    "number",
    "kind",
    "status",
    "label",
    "issued_on",
    "due_on",
    "period_starts_on",
    "period_ends_on",
    "net",
    "vat",
    "gross",
    "currency",
)
CASTS = {"version": "bigint", "digest": "bytea"} | {
    **dict.fromkeys(("issued_on", "due_on", "period_starts_on", "period_ends_on"), "date"),
    **dict.fromkeys(("net", "vat", "gross"), "numeric"),
}
OUTBOX = ("exchange", "routing_key", "message_id", "content_type", "headers", "body")
EXCHANGE, KEY, SINGLE, BATCH = (
    "traboule",
    "traboule.billing.invoice-changed",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
)
_CHANGES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[2:])
NEWER = (
    f"on conflict (cluster, invoice_id) do update set {_CHANGES} "
    "where (held.version, held.digest) < (excluded.version, excluded.digest)"
)
_DEFAULTS: dict[str, Any] = {"kind": "invoice", "status": "issued", "currency": "EUR"}


def inbox_key(event: dict[str, Any]) -> str:
    """What the inbox remembers of an event."""
    return f"{event['source']} {event['id']}"


def digest(event: dict[str, Any]) -> bytes:
    """What inbox and mirror know its content by."""
    return blake2b(orjson.dumps(event["data"]), digest_size=16).digest()


def invoice(event: dict[str, Any]) -> dict[str, Any]:
    """The mirror's row."""
    data = event["data"]
    row = {name: data.get(name, _DEFAULTS.get(name)) for name in COLUMNS}
    row["cluster"] = event["source"].split("/", 2)[1]
    row["digest"] = digest(event)
    return row


def announcement(event: dict[str, Any], cluster: str) -> tuple[str, bytes]:
    """Id and body of the event that tells what is held now."""
    data = orjson.dumps({**event["data"], "cluster": cluster})
    event_id = blake2b(b"/traboule/billing " + data, digest_size=16).hexdigest()
    head = {
        "specversion": "1.0",
        "id": event_id,
        "source": "/traboule/billing",
        "type": "fr.traboule.billing.invoice-changed.v1",
        "datacontenttype": "application/json",
        "correlationid": event["id"],
    }
    return event_id, orjson.dumps(head)[:-1] + b',"data":' + data + b"}"
