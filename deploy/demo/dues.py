"""What each cluster's billing publishes: invoices, payments and credit notes."""

from datetime import date, timedelta
from operator import itemgetter
from random import Random

from deploy.demo.companies import CLUSTR, Record, Term, below
from deploy.demo.exports import NET_DUES
from deploy.demo.lines import Line, encode, version_of

VAT_PERCENT = {CLUSTR: 20, "numelink": 0}
METHODS = {
    CLUSTR: ("VIR", "VIR", "CHQ", "CB", "PRE"),
    "numelink": ("Virement", "Virement", "Chèque", "Carte bancaire"),
}


def dues(cluster: str, records: list[Record], rng: Random, anchor: date) -> tuple[list[str], list[str]]:
    """Invoices (credit notes among them) and payments, as lines."""
    issues: list[tuple[date, Record, Term]] = []
    for record in records:
        for term in record.terms:
            issued = term.starts_on + timedelta(days=below(rng, 45))
            issues.append((min(issued, anchor), record, term))
    # Numbers follow dates without a gap, as they must; credit notes are a series of their own.
    issues.sort(key=itemgetter(0))
    prices = [_price(euros * 100, VAT_PERCENT[cluster]) for euros in NET_DUES[cluster]]
    invoices: list[str] = []
    payments: list[str] = []
    numbers: dict[tuple[str, int], int] = {}
    credited: list[tuple[date, Line]] = []
    for issued, record, term in issues:
        net, vat, gross, half = prices[record.company.band]
        status = {"paid": "paid", "credited": "cancelled"}.get(term.outcome, "issued")
        changed = issued
        invoice_id = f"F{len(invoices) + 1}"
        if term.outcome in ("paid", "partial"):
            paid_on = changed = min(issued + timedelta(days=below(rng, 75)), anchor)
            payments.append(
                encode(
                    {
                        "payment_id": f"R{len(payments) + 1}",
                        "version": version_of(paid_on, rng),
                        "record_id": record.record_id,
                        "invoice_id": invoice_id,
                        "paid_on": paid_on,
                        "amount": gross if term.outcome == "paid" else half,
                        "method": rng.choice(METHODS[cluster]),
                    }
                )
            )
        invoice: Line = {
            "invoice_id": invoice_id,
            "version": version_of(changed, rng),
            "record_id": record.record_id,
            "number": _next_number(numbers, "FA", issued.year),
            "kind": "invoice",
            "status": status,
            "label": f"Cotisation {term.starts_on.year}",
            "issued_on": issued,
            "due_on": (issued + timedelta(days=30)),
            "period_starts_on": term.starts_on,
            "period_ends_on": term.ends_on,
            "net": net,
            "vat": vat,
            "gross": gross,
        }
        invoices.append(encode(invoice))
        if term.outcome == "credited":
            credited.append((min(issued + timedelta(days=rng.randrange(20, 90)), anchor), invoice))
    for day, invoice in sorted(credited, key=itemgetter(0)):
        invoices.append(
            encode(
                {
                    **invoice,
                    "invoice_id": f"F{len(invoices) + 1}",
                    "version": version_of(day, rng),
                    "number": _next_number(numbers, "AV", day.year),
                    "kind": "credit-note",
                    "corrects": invoice["invoice_id"],
                    "status": "issued",
                    "label": f"Avoir sur {invoice['number']}",
                    "issued_on": day,
                    "due_on": None,
                    # Negative, as Dolibarr and the accounts write it.
                    **{
                        part: f"-{invoice[part]}" if float(invoice[part]) else "0.00"
                        for part in ("net", "vat", "gross")
                    },
                }
            )
        )
    return invoices, payments


def _next_number(numbers: dict[tuple[str, int], int], series: str, year: int) -> str:
    numbers[series, year] = number = numbers.get((series, year), 0) + 1
    return f"{series}{year}-{number:05d}"


def _price(net: int, percent: int) -> tuple[str, str, str, str]:
    vat = net * percent // 100
    return _euros(net), _euros(vat), _euros(net + vat), _euros((net + vat) // 2)


def _euros(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"
