"""Digests of records for a manifest: ``digest.py invoice < facts.jsonl`` prints one for each line.

A line is the ``data`` of a fact as you publish it. The kinds are member, invoice, payment, event, registration, consent
and mailing. PRODUCERS.md has the normal form in words, and what a manifest is. Needs Python 3.11 and nothing else.
"""

import hashlib
import json
import sys
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

# Fields that may be left out because they say what is so anyway.
DEFAULTS = {
    "invoice": {"kind": "invoice", "status": "issued", "currency": "EUR"},
    "payment": {"currency": "EUR"},
    "event": {"status": "planned"},
    "registration": {"status": "registered", "seats": 1},
}
# Numbers that are written as text, with so many decimals.
DECIMALS = {
    "invoice": {"net": 2, "vat": 2, "gross": 2, "written_off": 2},
    "line": {"quantity": 6, "unit_price": 6, "net": 2, "vat_rate": 2},
    "vat-rate": {"rate": 2, "net": 2, "vat": 2},
    "payment": {"amount": 2},
    "allocation": {"amount": 2},
    "subscription": {"amount": 2},
}
# Lists of objects that hold such numbers, by what they are.
PARTS = {
    "invoice": {"lines": "line", "vat_rates": "vat-rate"},
    "payment": {"allocations": "allocation"},
    "member": {"subscriptions": "subscription"},
}
MOMENTS = ("starts_at", "ends_at", "registered_at", "decided_at", "sent_at")


def digest(kind: str, data: dict[str, Any]) -> str:
    """64 hex digits that are equal when two facts say the same of their record, whatever their versions."""
    stated = {name: value for name, value in data.items() if name != "version"}
    return hashlib.sha256(canonical(without_empty(normal(kind, stated)))).hexdigest()


def normal(kind: str, data: dict[str, Any]) -> dict[str, Any]:
    """Every value in the one writing that counts, without those that hold their default."""
    stated: dict[str, Any] = {}
    for name, value in data.items():
        if value is None or value == DEFAULTS.get(kind, {}).get(name):
            continue
        if name in DECIMALS.get(kind, {}):
            value = f"{Decimal(value) + 0:.{DECIMALS[kind][name]}f}"
        elif kind != "member" and name in MOMENTS:
            moment = datetime.fromisoformat(value).astimezone(UTC)
            value = moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        elif name in PARTS.get(kind, {}):
            value = [normal(PARTS[kind][name], item) for item in value]
        stated[name] = value
    return stated


def without_empty(value: object) -> object:
    """Texts without white space at their ends; no empty field; lists sorted, each element once."""
    if isinstance(value, str):
        return value.strip(" \t\n\v\f\r")
    if isinstance(value, list):
        each = {canonical(item): item for item in map(without_empty, value)}
        return [each[text] for text in sorted(each)]
    if isinstance(value, dict):
        stated = {name: without_empty(item) for name, item in value.items()}
        return {name: item for name, item in stated.items() if item not in (None, "", [], {})}
    return value


def canonical(value: object) -> bytes:
    """RFC 8785: no spaces, names sorted by their UTF-16 code units, UTF-8."""
    return json.dumps(ordered(value), ensure_ascii=False, separators=(",", ":")).encode()


def ordered(value: object) -> object:
    """Objects with their names in order."""
    if isinstance(value, dict):
        names = sorted(value, key=lambda name: name.encode("utf-16-be"))
        return {name: ordered(value[name]) for name in names}
    return [ordered(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    for line in sys.stdin.buffer:
        sys.stdout.write(digest(sys.argv[1], json.loads(line)) + "\n")
