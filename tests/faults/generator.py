"""A seeded workload: what eight former systems say, with everything that makes it hard to end in one place.

The facts depend on ``seed`` alone. The order, the batches and the duplicates depend on ``order``, so that the same
facts can be sent in as many ways as a test likes; wherever they end, they must end in the same place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from random import Random

import orjson

from schemas.base import Fact
from schemas.billing import InvoiceRecorded, PaymentRecorded
from schemas.communications import ConsentRecorded, MailingRecorded
from schemas.envelope import BATCH, BINARY, STRUCTURED, encode, source_of
from schemas.events import EventRecorded, RegistrationRecorded
from schemas.membership import MemberRecorded, MemberRemoved
from services.membership.normalisation.identifiers import read_identifiers
from tests.faults.poison import bad_events, bad_messages
from tests.faults.sent import CLUSTERS, Event, Message

NAMES = ("Aciéries", "Brumes", "Cartolab", "Dévidoir", "Écluse", "Filatures", "Gier", "Houille", "Ondaine", "Velours")
KINDS = ("Logiciels", "Réseaux", "Données", "Conseil", "Robotique", "Studio", "Capteurs")
FORMS = ("SAS", "SARL", "S.A.", "")


@dataclass(frozen=True)
class Workload:
    """Sound events, poison that can travel inside a batch, and poison that is a whole message by itself."""

    events: list[Event]
    bad_events: list[Event]
    bad_messages: list[Message]

    def messages(self, order: int, *, duplicates: float = 0.15) -> list[Message]:
        """Everything, in an order, in batches and with duplicates of its own."""
        rng = Random(order)
        every = [*self.events, *self.bad_events]
        every += rng.sample(every, int(len(every) * duplicates))
        rng.shuffle(every)
        by_route: defaultdict[tuple[str, str, str], list[Event]] = defaultdict(list)
        for event in every:
            by_route[event.cluster, event.service, event.key].append(event)
        messages = [
            message
            for route in sorted(by_route)
            for batch in _batches(rng, by_route[route])
            for message in [_message(batch, rng)] * (2 if rng.random() < duplicates / 3 else 1)
        ]
        messages += self.bad_messages
        rng.shuffle(messages)
        return messages

    def parked(self, service: str) -> int:
        """How many dead letters a service must end up with."""
        return len(self.poison.get(service, ())) + sum(
            message.routing_key.split(".")[1] == service for message in self.bad_messages
        )

    @property
    def sound(self) -> dict[str, set[str]]:
        """For each service, what its inbox must hold."""
        return _by_service(self.events)

    @property
    def poison(self) -> dict[str, set[str]]:
        """For each service, what no inbox may hold."""
        return _by_service(self.bad_events)


def _by_service(events: Iterable[Event]) -> dict[str, set[str]]:
    result: defaultdict[str, set[str]] = defaultdict(set)
    for event in events:
        result[event.service].add(event.name)
    return dict(result)


def _batches(rng: Random, events: Sequence[Event]) -> Iterable[Sequence[Event]]:
    at = 0
    while at < len(events):
        size = 1 if rng.random() < 0.85 else rng.randint(2, 40)
        yield events[at : at + size]
        at += size


def _message(batch: Sequence[Event], rng: Random) -> Message:
    first = batch[0]
    user, key = f"{first.cluster}.{first.service}", f"{first.cluster}.{first.service}.{first.key}"
    if len(batch) > 1:
        body = b"[" + b",".join(event.body for event in batch) + b"]"
        return Message(user, key, body, BATCH, f"{first.id}+{len(batch)}")
    if rng.random() < 0.15 and not first.poison:
        tree = orjson.loads(first.body)
        headers = {f"ce-{name}": value for name, value in tree.items() if name not in {"data", "datacontenttype"}}
        return Message(user, key, orjson.dumps(tree["data"]), BINARY, first.id, headers)
    return Message(user, key, first.body, STRUCTURED, first.id)


def workload(seed: int = 1, companies: int = 110) -> Workload:
    """About fifteen sound events for each company, and a fixed handful of poison."""
    published = _Teller(Random(seed))
    for number in range(companies):
        published.company(number)
    published.gatherings_and_mailings()
    # The same fact twice is one event: its id comes from its content.
    events = list({event.name: event for event in published.events}.values())
    return Workload(events, bad_events(), bad_messages())


class _Teller:
    """Writes down what the former systems of both clusters say."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.events: list[Event] = []
        self.records: dict[str, list[str]] = {cluster: [] for cluster in CLUSTERS}

    def write(self, cluster: str, fact: Fact) -> None:
        source = source_of(cluster, fact.service)
        encoded = encode(source, [fact])
        self.events.append(Event(cluster, fact.service, type(fact).key, encoded.message_id, encoded.body))

    def day(self) -> date:
        return date(2024, 1, 1) + timedelta(days=self.rng.randrange(900))

    def moment(self) -> datetime:
        return datetime(2024, 1, 1, 9, tzinfo=UTC) + timedelta(minutes=self.rng.randrange(1_000_000))

    def company(self, number: int) -> None:
        rng = self.rng
        siren = valid_siren(rng)
        name = f"{rng.choice(NAMES)} {rng.choice(KINDS)} {number}"
        draw = rng.random()
        homes = CLUSTERS if draw < 0.35 else (rng.choice(CLUSTERS),)
        for home, cluster in enumerate(homes):
            # One in five that share a SIREN have nothing else in common: somebody typed another company's number.
            other = rng.choice(NAMES)[::-1] + " Entrepôt" if home and rng.random() < 0.2 else name
            self.member(cluster, number, other, siren)
            if rng.random() < 0.1:
                self.member(cluster, number + 10_000, other, siren, same_as=f"M{number}")

    def member(self, cluster: str, number: int, name: str, siren: str, same_as: str | None = None) -> None:
        rng = self.rng
        record = f"M{number}"
        self.records[cluster].append(record)
        version = 0
        for _ in range(rng.choice((1, 1, 2, 3))):
            version += rng.randint(1, 3)
            if version > 3 and rng.random() < 0.25:
                self.write(cluster, MemberRemoved(version=version, record_id=record))
                continue
            # Now and then, two writings under one version: the tie must fall the same way everywhere.
            for _ in range(2 if rng.random() < 0.1 else 1):
                self.write(cluster, self.a_record(record, version, name, siren, same_as))
        for _ in range(rng.choice((0, 1, 2))):
            self.dues(cluster, record)
        if rng.random() < 0.6:
            self.consents(cluster, record)

    def a_record(self, record: str, version: int, name: str, siren: str, same_as: str | None) -> MemberRecorded:
        rng = self.rng
        return MemberRecorded(
            version=version,
            record_id=record,
            name=f"{name} {rng.choice(FORMS)}" if rng.random() < 0.9 else f"{rng.choice(NAMES)} {record}",
            same_as=same_as,
            siren=rng.choice((siren, siren, siren, f"{siren[:3]} {siren[3:6]} {siren[6:]}", "123456789", None)),
            email=rng.choice((f"contact@{record.lower()}.example", "not-an-address", None)),
            phone=rng.choice(("04 77 00 00 00", "+33478000000", None)),
            postcode=rng.choice(("42000", "69003", "38000", "7000", "63000", None)),
            city=rng.choice(("Saint-Étienne", "LYON", "Grenoble", None)),
            paid_until=rng.choice((date(2025, 12, 31), date(2026, 12, 31), None)),
            status=rng.choice(("active", "ended", None)),
            opt_outs=rng.choice(((), (), ("email",), ("phone", "post"))),
            extra=rng.choice(({}, {"Parrain": "Écluse", "Note": "vu le 3"})),
        )

    def dues(self, cluster: str, record: str) -> None:
        rng = self.rng
        invoice = f"F{record}-{rng.randrange(10**6)}"
        amount = Decimal(rng.randrange(10_000, 900_000)) / 100
        day = self.day()
        for version in range(1, rng.choice((2, 3))):
            self.write(
                cluster,
                InvoiceRecorded(
                    version=version, invoice_id=invoice, record_id=record, number=invoice, issued_on=day,
                    kind=rng.choice(("invoice", "invoice", "invoice", "credit-note")),
                    status=rng.choice(("issued", "paid", "cancelled")),
                    period_ends_on=date(day.year, 12, 31), net=amount, vat=Decimal("0.00"), gross=amount,
                ),
            )  # fmt: skip
        for part in range(rng.choice((0, 1, 2))):
            self.write(
                cluster,
                PaymentRecorded(
                    version=1, payment_id=f"P{invoice}-{part}", record_id=record, invoice_id=invoice,
                    paid_on=self.day(), amount=rng.choice((amount, amount / 2)).quantize(Decimal("0.01")),
                ),
            )  # fmt: skip

    def consents(self, cluster: str, record: str) -> None:
        rng = self.rng
        for version in range(1, rng.choice((2, 3))):
            self.write(
                cluster,
                ConsentRecorded(
                    version=version, consent_id=f"C{record}", record_id=record, purpose=rng.choice(("news", "events")),
                    channel=rng.choice(("email", "phone")), status=rng.choice(("granted", "refused", "withdrawn")),
                    decided_at=self.moment(),
                ),
            )  # fmt: skip

    def gatherings_and_mailings(self) -> None:
        rng = self.rng
        for cluster in CLUSTERS:
            # Some of what is said about a record comes for one that never was: it must wait, and harm nobody.
            known = [*self.records[cluster], "M-nobody"]
            for number in range(10):
                for version in range(1, rng.choice((2, 3, 4))):
                    gathering = EventRecorded(
                        version=version, event_id=f"E{number}", title=f"Rencontre {number}.{version}",
                        starts_at=self.moment(), status=rng.choice(("planned", "held", "cancelled")),
                    )  # fmt: skip
                    self.write(cluster, gathering)
                for record in rng.sample(known, min(20, len(known))):
                    for version in range(1, rng.choice((2, 2, 3))):
                        registration = RegistrationRecorded(
                            version=version, registration_id=f"R{number}-{record}", event_id=f"E{number}",
                            record_id=record, registered_at=self.moment(), seats=rng.randint(1, 4),
                            status=rng.choice(("registered", "attended", "cancelled")),
                        )  # fmt: skip
                        self.write(cluster, registration)
            for number in range(8):
                mailing = MailingRecorded(
                    version=1, mailing_id=f"L{number}", subject=f"Lettre {number}", sent_at=self.moment(),
                    recipients=tuple(rng.sample(known, min(30, len(known)))),
                )  # fmt: skip
                self.write(cluster, mailing)


def valid_siren(rng: Random) -> str:
    """Nine digits that pass their own check."""
    head = f"{rng.randrange(3 * 10**7, 10**8):08d}"
    return next(head + last for last in "0123456789" if read_identifiers(head + last, None, None, [])[0] == head + last)


# --- poison --------------------------------------------------------------------------------------------------------
