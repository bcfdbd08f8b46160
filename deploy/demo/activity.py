"""What each cluster's other systems publish: invoices, payments, gatherings, registrations, consents, mailings.

One JSON object a line, with the fields of the facts in :mod:`schemas`; some lines are bad on purpose.
"""

from datetime import date, timedelta
from pathlib import Path
from random import Random

import orjson

from deploy.demo import words
from deploy.demo.companies import CLUSTR, Record, below
from deploy.demo.dues import dues
from deploy.demo.exports import BadRow, Written
from deploy.demo.lines import Line, encode, moment, version_of

BRANDS = {CLUSTR: "Clust'R Numérique", "numelink": "Numelink"}
NEWSLETTER = "lettre d'information"
MOST_RECIPIENTS = 5_000
"""Of one fact; a larger mailing is several facts under one mailing_id."""
# Drawn from with rng.choice, which takes a third of the time of weights.
_REGISTRATIONS = (*[0] * 11, *[1] * 5, *[2] * 3, 3)
_PAST = (*["attended"] * 15, *["absent"] * 3, *["cancelled"] * 2)
_AHEAD = (*["registered"] * 9, "waiting")


def lines(cluster: str, records: list[Record], rng: Random, anchor: date) -> dict[str, list[str]]:
    """Every good line, by file name."""
    invoices, payments = dues(cluster, records, rng, anchor)
    events = _gatherings(cluster, len(records), rng, anchor)
    return {
        "invoices.jsonl": invoices,
        "payments.jsonl": payments,
        "events.jsonl": [encode(event) for event in events],
        "registrations.jsonl": _registrations(events, records, rng, anchor),
        "consents.jsonl": _consents(cluster, records, rng, anchor),
        "mailings.jsonl": _mailings(cluster, records, rng, anchor),
    }


# What is planted: the field to drop, the day or moment to spoil, and the amount to write as a number.
_SPOILT = {
    "invoices.jsonl": ("number", "issued_on", "gross"),
    "payments.jsonl": ("record_id", "paid_on", "amount"),
    "events.jsonl": ("title", "starts_at", None),
    "registrations.jsonl": ("event_id", "registered_at", None),
    "consents.jsonl": ("status", "decided_at", None),
    "mailings.jsonl": ("recipients", "sent_at", None),
}


def write(path: Path, good: list[str], rng: Random) -> Written:
    """Write the lines with some spoilt copies between them; an empty file when there are none."""
    missing, spoilt, amount = _SPOILT[path.name]
    plans = ["missing", "date", *(["float", "unreadable date"] if amount else [])] if good else []
    places = sorted(rng.randrange(len(good) + 1) for _ in plans)
    merged = list(good)
    bad: list[BadRow] = []
    for already, (place, plan) in enumerate(zip(places, plans, strict=True)):
        line: Line = orjson.loads(rng.choice(good))
        # Under an id of its own, so that no good line is lost along with it.
        line[next(iter(line))] = f"bad-{already + 1}"
        if plan == "missing":
            del line[missing]
            reason = f"{missing} missing"
        elif plan == "date":
            line[spoilt] = f"{line[spoilt][:4]}-02-31{line[spoilt][10:]}"
            reason = f"{spoilt} impossible"
        elif plan == "float":
            line[str(amount)] = float(line[str(amount)])
            reason = f"{amount} as a number instead of text"
        else:
            line[spoilt] = "1970-01-01"
            reason = f"{spoilt} is what systems write for an unreadable date"
        merged.insert(place + already, encode(line))
        bad.append(BadRow(place + already + 1, reason))
    with path.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{line}\n" for line in merged)
    return Written(len(merged), tuple(bad))


# Dues


# Gatherings


def _gatherings(cluster: str, members: int, rng: Random, anchor: date) -> list[Line]:
    towns = [town for _, group in words.TERRITORIES[cluster].values() for _, town in group]
    count = 8 + min(members // 200, 200)
    result: list[Line] = []
    for number in range(count):
        # From a year ago to three months ahead.
        day = anchor + timedelta(days=rng.randrange(-365, 90))
        # One is open in every demo, whatever the dice say.
        is_open = number == 0
        day = anchor + timedelta(days=45) if is_open else day
        hour = rng.choice((8, 9, 14, 17))
        town = rng.choice(towns)
        stored = "held" if day < anchor else "planned"
        result.append(
            {
                "event_id": f"E{number + 1}",
                "version": version_of(min(day, anchor) - timedelta(days=60), rng),
                "title": f"{rng.choice(words.GATHERINGS)} – {town}",
                "starts_at": f"{day.isoformat()}T{hour:02d}:30:00+00:00",
                "ends_at": f"{day.isoformat()}T{hour + 3:02d}:00:00+00:00",
                "place": town,
                "status": "cancelled" if rng.random() < 0.08 and not is_open else stored,
            }
        )
    return result


def _registrations(events: list[Line], records: list[Record], rng: Random, anchor: date) -> list[str]:
    days = [date.fromisoformat(event["starts_at"][:10]) for event in events]
    lines: list[str] = []
    for record in records:
        for place in rng.sample(range(len(events)), rng.choice(_REGISTRATIONS)):
            event, day = events[place], days[place]
            registered = min(day, anchor) - timedelta(days=1 + below(rng, 29))
            if event["status"] == "cancelled":
                status, changed = "cancelled", registered
            elif day < anchor:
                status, changed = rng.choice(_PAST), day
            else:
                status, changed = rng.choice(_AHEAD), registered
            lines.append(
                encode(
                    {
                        "registration_id": f"I{len(lines) + 1}",
                        "version": version_of(changed, rng),
                        "event_id": event["event_id"],
                        "record_id": record.record_id,
                        "registered_at": moment(registered, rng),
                        "status": status,
                        "seats": 2 if rng.random() < 0.1 else 1,
                    }
                )
            )
    return lines


# Consents and mailings


def _consents(cluster: str, records: list[Record], rng: Random, anchor: date) -> list[str]:
    texts: list[str] = []

    def decide(record: Record, channel: str, purpose: str, status: str, day: date) -> None:
        # RhôneAlley's brand stays in use in Drôme and Ardèche.
        local = cluster != CLUSTR and record.department in ("26", "07")
        texts.append(
            encode(
                {
                    "consent_id": f"C{len(texts) + 1}",
                    "version": version_of(day, rng),
                    "record_id": record.record_id,
                    "channel": channel,
                    "purpose": purpose,
                    "status": status,
                    "brand": "RhôneAlley" if local else BRANDS[cluster],
                    "decided_at": moment(day, rng),
                    "proof": "formulaire d’adhésion" if status == "granted" else "lien de désinscription",
                }
            )
        )

    for record in records:
        since = (anchor - record.joined_on).days
        later = anchor - timedelta(days=below(rng, since + 1))
        if record.opted_out:
            decide(record, "bulk-email", NEWSLETTER, "withdrawn" if rng.random() < 0.7 else "refused", later)
        elif rng.random() < 0.9:
            decide(record, "bulk-email", NEWSLETTER, "granted", record.joined_on)
        if rng.random() < 0.08:
            decide(record, rng.choice(("phone", "sms", "post")), "prospection", "refused", later)
    return texts


def _mailings(cluster: str, records: list[Record], rng: Random, anchor: date) -> list[str]:
    reachable = [record.record_id for record in records if record.email and not record.opted_out]
    texts: list[str] = []
    for number in range(8):
        day = anchor - timedelta(days=7 + 30 * number)
        recipients = rng.sample(reachable, len(reachable) * rng.randrange(60, 100) // 100)
        mailing: Line = {
            "mailing_id": f"M{number + 1}",
            "version": version_of(day, rng),
            "subject": rng.choice(words.SUBJECTS),
            "purpose": NEWSLETTER,
            "brand": BRANDS[cluster],
            "sent_at": moment(day, rng),
        }
        texts += [
            encode(
                {
                    **mailing,
                    "version": mailing["version"] + start,
                    "recipients": recipients[start : start + MOST_RECIPIENTS],
                }
            )
            for start in range(0, len(recipients), MOST_RECIPIENTS)
        ]
    return texts
