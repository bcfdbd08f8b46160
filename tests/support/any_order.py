"""The same facts in any order: a strategy that tells little stories full of collisions, and ways to deliver them.

Few companies, few names, few SIRENs and few versions, so that every example holds duplicates, ties, links that come
and go, records that are the same as one that is not there yet, and removals.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from itertools import groupby
from typing import Any

from hypothesis import strategies as st

from schemas.base import Announced, Fact
from schemas.billing import AccountChanged, InvoiceChanged, PaidPeriod, PaymentChanged, PeriodOfAccount
from schemas.communications import ConsentChanged, MailingChanged, Preference, PreferencesChanged
from schemas.envelope import STRUCTURED, Envelope, encode, source_of
from schemas.events import EventChanged, ParticipationChanged, ParticipationEntry, RegistrationChanged
from schemas.membership import MemberRecorded, MemberRemoved
from schemas.reading import read
from services.cutover.fence import Fenced
from services.membership.consumers import SUBSCRIPTIONS
from services.membership.identity.decisions import Decision, confirm, reject
from services.membership.records.record import RecordKey
from services.membership.unit_of_work import MembershipUnitOfWork

Deliveries = list[list[Envelope[Any]]]
"""Batches, each of one type, in the order in which they are handled."""

CLUSTERS = ("clustr-numerique", "numelink")
SIRENS = ("732829320", "552100554", "not a siren", None)
NAMES = ("Écluse Logiciels SAS", "ECLUSE LOGICIELS", "Houille Conseil", "Société Houille Conseil", "Gier", "Ondaine")
RECORDS = ("M1", "M2", "M3", "M4")
DAYS = (date(2025, 12, 31), date(2026, 12, 31))

# Without the fence, which needs a database; no former system is moved over in these stories.
_handlers: dict[type[Any], Callable[..., Awaitable[None]]] = {
    subscription.fact: subscription.handler.handler
    if isinstance(subscription.handler, Fenced)
    else subscription.handler
    for subscription in SUBSCRIPTIONS
}

_versions = st.integers(1, 3)
_clusters = st.sampled_from(CLUSTERS)
_records = st.sampled_from(RECORDS)
_moments = st.sampled_from([datetime(2026, month, 3, 9, tzinfo=UTC) for month in (1, 2, 3)])
_cents = st.sampled_from([Decimal("60.00"), Decimal("120.00")])

_members = st.builds(
    MemberRecorded,
    version=_versions,
    record_id=_records,
    name=st.sampled_from(NAMES),
    brand=st.sampled_from([None, "Gier"]),
    siren=st.sampled_from(SIRENS),
    same_as=st.sampled_from([None, None, *RECORDS]),
    email=st.sampled_from([None, "a@exemple.fr", "b@exemple.fr"]),
    postcode=st.sampled_from([None, "42000", "69003"]),
    paid_until=st.sampled_from([None, *DAYS]),
    opt_outs=st.sampled_from([(), ("email",)]),
)
_removals = st.builds(MemberRemoved, version=_versions, record_id=_records)
_invoices = st.builds(
    InvoiceChanged,
    cluster=_clusters,
    version=_versions,
    invoice_id=st.sampled_from(["F1", "F2"]),
    record_id=_records,
    number=st.just("F"),
    status=st.sampled_from(["issued", "paid", "cancelled"]),
    issued_on=st.sampled_from(DAYS),
    period_ends_on=st.sampled_from([None, *DAYS]),
    net=_cents,
    vat=st.just(Decimal("0.00")),
    gross=_cents,
)
_payments = st.builds(
    PaymentChanged,
    cluster=_clusters,
    version=_versions,
    payment_id=st.sampled_from(["P1", "P2"]),
    record_id=_records,
    invoice_id=st.sampled_from([None, "F1", "F2"]),
    paid_on=st.sampled_from(DAYS),
    amount=_cents,
)
_events = st.builds(
    EventChanged,
    cluster=_clusters,
    version=_versions,
    event_id=st.sampled_from(["E1", "E2"]),
    title=st.sampled_from(["Rencontre", "Atelier"]),
    starts_at=_moments,
)
_registrations = st.builds(
    RegistrationChanged,
    cluster=_clusters,
    version=_versions,
    registration_id=st.sampled_from(["R1", "R2"]),
    event_id=st.sampled_from(["E1", "E2"]),
    record_id=_records,
    registered_at=_moments,
)
_consents = st.builds(
    ConsentChanged,
    cluster=_clusters,
    version=_versions,
    consent_id=st.sampled_from(["C1", "C2"]),
    record_id=_records,
    channel=st.sampled_from(["email", "phone"]),
    purpose=st.sampled_from(["news", "events"]),
    status=st.sampled_from(["granted", "refused", "withdrawn"]),
    decided_at=_moments,
)
_mailings = st.builds(
    MailingChanged,
    cluster=_clusters,
    version=_versions,
    mailing_id=st.sampled_from(["L1", "L2"]),
    subject=st.sampled_from(["Lettre", "Invitation"]),
    sent_at=_moments,
    recipients=st.lists(_records, unique=True, max_size=3).map(tuple),
)

PERIODS = [
    PeriodOfAccount(
        starts_on=date(year, 1, 1),
        ends_on=date(year, 12, 31),
        billed=Decimal(120),
        paid=Decimal(paid),
        outstanding=Decimal(120 - paid),
        paid_up=paid == 120,
        reasons=(f"facture F{year}",),
    )
    for year, paid in ((2026, 0), (2026, 120), (2027, 60))
]
_accounts = st.builds(
    AccountChanged,
    cluster=_clusters,
    version=_versions,
    record_id=_records,
    invoiced=_cents,
    outstanding=_cents,
    paid_until=st.sampled_from([None, *DAYS]),
    paid_periods=st.sampled_from(
        [(), (PaidPeriod(invoice_id="F1", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31)),)]
    ),
    periods=st.lists(st.sampled_from(PERIODS), unique=True, max_size=2).map(tuple),
)
_participations = st.builds(
    ParticipationChanged,
    cluster=_clusters,
    version=_versions,
    record_id=_records,
    expected=st.sampled_from([(), ("R1",)]),
    registrations=st.builds(
        ParticipationEntry, registration_id=st.just("R1"), event_id=st.just("E1"), registered_at=_moments
    ).map(lambda entry: (entry,)),
)
_preferences = st.builds(
    PreferencesChanged,
    cluster=_clusters,
    version=_versions,
    record_id=_records,
    in_force=st.builds(
        Preference,
        channel=st.just("email"),
        purpose=st.sampled_from(["news", "*"]),
        allowed=st.booleans(),
        consent_id=st.just("C1"),
    ).map(lambda preference: (preference,)),
)
_sections = (_accounts, _participations, _preferences)

_about_members = st.one_of(*[st.tuples(_clusters, _members)] * 4, st.tuples(_clusters, _removals))
_stated = st.one_of(
    # Members as often as all the rest: they are what links.
    *[_about_members] * 6,
    *(
        st.tuples(st.none(), strategy)
        for strategy in (_invoices, _payments, _events, _registrations, _consents, _mailings)
    ),
    *(st.tuples(st.none(), strategy) for strategy in _sections),
)


def messages(*, at_most: int, only_members: bool = False) -> st.SearchStrategy[list[Envelope[Any]]]:
    """What both clusters say, as membership reads it."""
    strategy = _about_members if only_members else _stated
    return st.lists(strategy, min_size=2, max_size=at_most).map(lambda answer: [an_envelope(*item) for item in answer])


def an_envelope(cluster: str | None, fact: Fact) -> Envelope[Any]:
    """A fact as a service reads it; of our own services where the cluster does not tell."""
    services = isinstance(fact, Announced)
    source = source_of("traboule" if services else cluster or "", fact.service)
    body = encode(source, [fact]).body
    [envelope] = read(type(fact), body, STRUCTURED, {})
    assert isinstance(envelope, Envelope), envelope
    return envelope


@st.composite
def deliveries(draw: st.DrawFn, published: Sequence[Envelope[Any]]) -> Deliveries:
    """All of it, shuffled, some of it several times, cut into batches anyhow."""
    again = draw(st.lists(st.sampled_from(published), max_size=len(published)))
    order = draw(st.permutations([*published, *again]))
    size = draw(st.integers(1, 6))
    # A lane reads one queue, and so one type at a time.
    runs = [list(run) for _, run in groupby(order, key=lambda message: type(message.data))]
    return [run[at : at + size] for run in runs for at in range(0, len(run), size)]


@st.composite
def decisions_about(draw: st.DrawFn, published: Sequence[Envelope[Any]]) -> list[Decision]:
    """What staff decide about records that were told of, in this order."""
    keys = sorted(
        {
            RecordKey(message.cluster, message.data.record_id)
            for message in published
            if isinstance(message.data, MemberRecorded)
        }
    )
    if len(keys) < 2:
        return []
    two = st.permutations(keys).map(lambda shuffled: shuffled[:2])
    return draw(st.lists(st.one_of(two.map(confirm), two.map(reject)), max_size=5))


async def handle(uow: MembershipUnitOfWork, batch: Sequence[Envelope[Any]]) -> None:
    """What the service does with a batch of one type."""
    await _handlers[type(batch[0].data)](uow, batch)
