"""One plausible fact of every type: what the published schemas, the page for producers and the tests show.

Companies and people are made up; phone numbers come from the ranges that Arcep keeps for fiction.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import partial
from typing import Any, TypeVar

import orjson

from schemas import (
    billing,
    billing_lines,
    charges,
    commands,
    communications,
    communications_write_back,
    cutover_requests,
    event_requests,
    events,
    membership,
    membership_contacts,
    membership_write_back,
    objections,
    waiting,
)
from schemas.base import Content, Fact, RecordRef
from schemas.cutover import ManifestRecord, WriteAccessChanged
from schemas.digests import record_digest
from schemas.envelope import encode, source_of
from schemas.letters_examples import LETTER_EXAMPLES

L = TypeVar("L", bound=ManifestRecord)

CLUSTER = "numelink"
"""The cluster whose former systems publish the examples."""

_MICROSECONDS = 1_795_426_200_000_000


def _member_recorded() -> Fact:
    return membership.MemberRecorded(
        version=_MICROSECONDS,
        record_id="1042",
        name="Ateliers du Gier",
        same_as=None,
        brand="Gier Numérique",
        legal_form="SAS",
        siren="123 456 782",
        siret="123 456 782 00010",
        vat="FR 11 123456782",
        naf="62.01Z",
        naf_nomenclature="rev2",
        website="https://ateliers-du-gier.example",
        email="contact@ateliers-du-gier.example",
        phone="04 65 71 00 12",
        mobile=None,  # libphonenumber does not know the range for fiction
        street="12 rue de la République",
        postcode="42000",
        city="Saint-Étienne",
        country="France",
        contact_first_name="Zoé",
        contact_last_name="Müller",
        contact_role="Présidente",
        lineage="numelink",
        category="Entreprise",
        fee_band="10 à 49 salariés",
        headcount="23",
        status="active",
        member_since=date(2019, 3, 1),
        paid_until=date(2026, 12, 31),
        ended_on=None,
        exempt=False,
        subscriptions=(
            membership.Subscription(
                subscription_id="2026-1042",
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
                amount=Decimal("480.00"),
                label="Cotisation 2026",
            ),
        ),
        opt_outs=("bulk-email",),
        created_on=date(2019, 3, 1),
        modified_on=date(2026, 11, 23),
        extra={"Parrain": "Société des Mines"},
    )


def _listed(record_type: type[L], kind: str, fact: Fact) -> L:
    item_id = next(getattr(fact, name) for name in type(fact).model_fields if name.endswith("_id"))
    return record_type.model_validate(
        {"kind": kind, "id": item_id, "version": fact.version, "digest": record_digest(fact)}
    )


def _member_written() -> Fact:
    return membership_write_back.MemberWritten(
        version=4713,
        cluster=CLUSTER,
        record_id="1042",
        product="galette",
        file="Galette members",
        columns=("ID de l'adhérent", "Nom", "Prénom", "Personne morale", "Adresse", "Courriel", "Compte"),
        rows=(("1042", "Müller", "Zoé", "Ateliers du Gier", "3 place Jean-Jaurès", "", "Non"),),
        left_out=("ended_on",),
    )


def _document_written() -> Fact:
    return billing.DocumentWritten(
        version=_MICROSECONDS,
        cluster=CLUSTER,
        record_id="1042",
        number="F-2027-000118",
        kind="invoice",
        product="galette",
        file="documents",
        columns=("numéro", "nature", "fiche", "période du", "période au", "ligne", "total TTC du document"),
        rows=(("F-2027-000118", "facture", "1042", "2027-01-01", "2027-12-31", "Cotisation", "600.00"),),
    )


_CLUSTR_RECORD = RecordRef(cluster="clustr-numerique", record_id="cn-118")
_NUMELINK_RECORD = RecordRef(cluster="numelink", record_id="1042")
_CLUSTR_MEMBER, _NUMELINK_MEMBER = "84a30ac4-f4a8-5c2c-8b0f-cf8a7d8ae7ba", "5c0f3d8e-6f0f-5b4e-9d0a-4f6c1a2b3c4d"


def _registration_written() -> Fact:
    return events.RegistrationWritten(
        version=_MICROSECONDS,
        cluster=CLUSTER,
        registration_id="6a3f1c0e-8f1b-4c7e-9a55-0d5f2c1b7e11",
        event_id="evt-2027-03",
        record_id="1042",
        registered_at=datetime(2027, 1, 12, 9, 30, tzinfo=UTC),
        status="registered",
        seats=2,
        product="galette",
        file="registrations",
        columns=("registration_id", "event_id", "record_id", "status", "seats"),
        rows=(("6a3f1c0e-8f1b-4c7e-9a55-0d5f2c1b7e11", "evt-2027-03", "1042", "registered", "2"),),
    )


def _members_merged() -> Fact:
    return membership.MembersMerged(
        version=4711,
        member_id=_CLUSTR_MEMBER,
        records=(_CLUSTR_RECORD, _NUMELINK_RECORD),
        former_ids=(_NUMELINK_MEMBER,),
    )


def _members_separated() -> Fact:
    parts = ((_CLUSTR_MEMBER, _CLUSTR_RECORD), (_NUMELINK_MEMBER, _NUMELINK_RECORD))
    return membership.MembersSeparated(
        version=4712,
        member_id=_CLUSTR_MEMBER,
        parts=tuple(membership.MemberPart(member_id=item, records=(record,)) for item, record in parts),
    )


def _member_described() -> Fact:
    addressee = membership.Addressee(
        name="Ateliers du Gier",
        legal_form="SAS",
        siren="123456782",
        vat="FR11123456782",
        email="contact@ateliers-du-gier.example",
        street="12 rue de la République",
        postcode="42000",
        city="Saint-Étienne",
        departement="42",
        country="FR",
    )
    return membership.MemberDescribed(
        version=3,
        cluster=CLUSTER,
        record_id="1042",
        member_id=_CLUSTR_MEMBER,
        own=addressee,
        shown=addressee,
        lineage="numelink",
        category="Entreprise",
        headcount="23",
        headcount_shown="23",
        headcount_said_by=("numelink/1042",),
        status="active",
        member_since=date(2019, 3, 1),
        terms=(
            membership.Subscription(
                subscription_id="2026-1042",
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
                amount=Decimal("480.00"),
            ),
        ),
    )


def _contact_described() -> Fact:
    return membership_contacts.ContactDescribed(
        version=2,
        cluster=CLUSTER,
        record_id="1042",
        member_id=_CLUSTR_MEMBER,
        name="Ateliers du Gier",
        first_name="Zoé",
        last_name="Müller",
        role="Présidente",
        salutation="Madame",
        email_written="Zoe@Ateliers-du-Gier.example",
        email="zoe@ateliers-du-gier.example",
        shown_name="Ateliers du Gier",
        shown_email="zoe@ateliers-du-gier.example",
        opt_outs=("sms",),
        status="active",
        lineage="numelink",
    )


def _objection_written() -> Fact:
    return communications_write_back.ObjectionWritten(
        version=_MICROSECONDS,
        cluster=CLUSTER,
        objection_id="118",
        record_id="1042",
        address="zoe@ateliers-du-gier.example",
        channel="bulk-email",
        purpose="*",
        decided_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
        reason="one-click",
        product="brevo",
        file="Brevo blocklist",
        columns=("EMAIL",),
        rows=(("zoe@ateliers-du-gier.example",),),
    )


def _merge_conflict_changed() -> Fact:
    return membership.MergeConflictChanged(
        version=4711,
        conflict_id="b3a1c0de5f6a7b8c9d0e1f2a3b4c5d6e",
        kind="paid-twice",
        responsible="billing",
        member_id=_CLUSTR_MEMBER,
        between=(_CLUSTR_RECORD, _NUMELINK_RECORD),
        overlaps=(
            membership.Overlap(
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
                items=(
                    membership.ConflictItem(
                        cluster="clustr-numerique", record_id="cn-118", kind="invoice", item_id="F9"
                    ),
                    membership.ConflictItem(
                        cluster="numelink", record_id="1042", kind="subscription", item_id="2026-1042"
                    ),
                ),
            ),
        ),
    )


def _member_removed() -> Fact:
    return membership.MemberRemoved(version=_MICROSECONDS, record_id="1042", reason="double saisie")


_INVOICE: dict[str, Any] = {
    "version": 3,
    "invoice_id": "F2026-0117",
    "record_id": "1042",
    "number": "F2026-0117",
    "status": "paid",
    "label": "Cotisation 2026",
    "issued_on": date(2026, 1, 5),
    "due_on": date(2026, 2, 4),
    "period_starts_on": date(2026, 1, 1),
    "period_ends_on": date(2026, 12, 31),
    "net": Decimal("400.00"),
    "vat": Decimal("80.00"),
    "gross": Decimal("480.00"),
}
_WITH_LINES: dict[str, Any] = _INVOICE | {
    "lines": (
        billing_lines.InvoiceLine(
            label="Cotisation annuelle",
            quantity=Decimal(1),
            unit_price=Decimal(400),
            net=Decimal("400.00"),
            vat_rate=Decimal(20),
        ),
    ),
    "vat_rates": (billing_lines.VatOfRate(rate=Decimal(20), net=Decimal("400.00"), vat=Decimal("80.00")),),
}
_PAYMENT: dict[str, Any] = {
    "version": 1,
    "payment_id": "R2026-0098",
    "record_id": "1042",
    "invoice_id": "F2026-0117",
    "paid_on": date(2026, 1, 20),
    "amount": Decimal("480.00"),
    "method": "virement",
}


def _account_changed() -> Fact:
    invoice, payment = (
        {name: value for name, value in item.items() if name not in ("version", "record_id")}
        for item in (_INVOICE, _PAYMENT)
    )
    return billing.AccountChanged(
        version=4,
        cluster=CLUSTER,
        record_id="1042",
        invoiced=Decimal("480.00"),
        received=Decimal("480.00"),
        outstanding=Decimal("0.00"),
        paid_until=date(2026, 12, 31),
        paid_periods=(
            billing.PaidPeriod(invoice_id="F2026-0117", starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31)),
        ),
        invoices=(billing.AccountInvoice(**invoice, paid=Decimal("480.00")),),
        payments=(billing.AccountPayment(**payment),),
        periods=(
            billing.PeriodOfAccount(
                starts_on=date(2026, 1, 1),
                ends_on=date(2026, 12, 31),
                billed=Decimal("480.00"),
                paid=Decimal("480.00"),
                outstanding=Decimal("0.00"),
                paid_up=True,
                reasons=("facture FA2026-0117 du système d'origine, 480,00 € : Cotisation 2026",),
            ),
        ),
    )


def _participation_changed() -> Fact:
    gathering = events.Gathering(**{name: value for name, value in _EVENT.items() if name != "version"})
    own = {name: value for name, value in _REGISTRATION.items() if name not in ("version", "record_id")}
    return events.ParticipationChanged(
        version=3,
        cluster=CLUSTER,
        record_id="1042",
        expected=("apero-2026-11/1042",),
        registrations=(events.ParticipationEntry(**own, event=gathering),),
    )


def _preferences_changed() -> Fact:
    own = {name: value for name, value in _CONSENT.items() if name not in ("version", "record_id")}
    return communications.PreferencesChanged(
        version=1,
        cluster=CLUSTER,
        record_id="1042",
        in_force=(
            communications.Preference(
                channel="bulk-email", purpose="lettre mensuelle", allowed=True, consent_id="1042/lettre"
            ),
        ),
        decisions=(communications.ConsentDecision(**own),),
        suppressed=(
            communications.Suppressed(
                covers="bulk",
                purpose="*",
                reason="objection",
                source="own-act",
                concerns="record",
                since=datetime(2026, 11, 24, 14, 5, tzinfo=UTC),
            ),
        ),
    )


_ANSWER: dict[str, Any] = {
    "version": 2,
    "conflict_id": "b3a1c0de5f6a7b8c9d0e1f2a3b4c5d6e",
    "state": "settled",
    "changed_at": datetime(2026, 11, 24, 14, 5, tzinfo=UTC),
}
_EVENT: dict[str, Any] = {
    "version": 2,
    "event_id": "apero-2026-11",
    "title": "Apéro des adhérents",
    "starts_at": datetime(2026, 11, 26, 17, 30, tzinfo=UTC),
    "ends_at": datetime(2026, 11, 26, 20, 0, tzinfo=UTC),
    "place": "Cité du design, Saint-Étienne",
}
_REGISTRATION: dict[str, Any] = {
    "version": 1,
    "registration_id": "apero-2026-11/1042",
    "event_id": "apero-2026-11",
    "record_id": "1042",
    "registered_at": datetime(2026, 11, 2, 8, 15, tzinfo=UTC),
    "seats": 2,
}
_CONSENT: dict[str, Any] = {
    "version": 1,
    "consent_id": "1042/lettre",
    "record_id": "1042",
    "channel": "bulk-email",
    "purpose": "lettre mensuelle",
    "status": "granted",
    "brand": "Numelink",
    "decided_at": datetime(2025, 9, 14, 12, 0, tzinfo=UTC),
    "proof": "formulaire du site, envoi 8841",
}
_MAILING: dict[str, Any] = {
    "version": 1,
    "mailing_id": "lettre-2026-11",
    "subject": "La lettre de novembre",
    "purpose": "lettre mensuelle",
    "brand": "Numelink",
    "sent_at": datetime(2026, 11, 3, 9, 0, tzinfo=UTC),
    "recipients": ("1042", "1043"),
}

_STAGE_STATE: dict[str, Any] = {
    "version": 2,
    "cluster": CLUSTER,
    "stage": "live",
    "since": datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    "by": "Ops",
}

_WAITING_FACTS = (
    waiting.MembershipWaitingChanged,
    waiting.BillingWaitingChanged,
    waiting.EventsWaitingChanged,
    waiting.CommunicationsWaitingChanged,
)
_WAITING: dict[str, Any] = {
    "version": _MICROSECONDS,
    "parked": 3,
    "parked_since": datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    "clusters": (waiting.WaitingInCluster(cluster=CLUSTER, late=1, differences=12),),
}

_REQUEST_ID = "019ab08c-1f00-7c3a-8e52-3f5d2c7b9a11"
_REQUEST: dict[str, Any] = {
    "version": _MICROSECONDS,
    "request_id": _REQUEST_ID,
    "responsible": "billing",
    "cluster": CLUSTER,
    "operation": "move",
    "arguments": {"move": "switch", "overrule": ["backup"]},
    "author": "z.muller",
    "key_id": "k7w2n5x9q3mt",
    "key_name": "Zoé Muller",
    "reason": "décidé par le conseil",
    "asked_at": datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
}
_CUTOVER_ANSWER: dict[str, Any] = {
    "version": _MICROSECONDS + 1,
    "request_id": _REQUEST_ID,
    "outcome": "done",
    "answer": {"system": f"{CLUSTER}/billing", "stage": "live", "epoch": 2, "already": False},
    "answered_at": datetime(2026, 11, 23, 9, 0, 1, tzinfo=UTC),
}

_ASKED: dict[str, Any] = {"cluster": CLUSTER, "author": "z.muller", "reason": "courriel du 23 novembre"}
_SEEN: dict[str, Any] = {**_ASKED, "record_id": "1042", "expected_version": _MICROSECONDS}

_MANIFEST: dict[str, Any] = {"version": _MICROSECONDS}

EXAMPLES: Mapping[type[Content], Callable[[], Content]] = {
    membership.MemberRecorded: _member_recorded,
    membership.MemberRemoved: _member_removed,
    membership.MembersMerged: _members_merged,
    membership.MembersSeparated: _members_separated,
    membership.MergeConflictChanged: _merge_conflict_changed,
    billing.InvoiceRecorded: lambda: billing.InvoiceRecorded(**_WITH_LINES),
    billing.PaymentRecorded: lambda: billing.PaymentRecorded(**_PAYMENT),
    billing.InvoiceChanged: lambda: billing.InvoiceChanged(**_WITH_LINES, cluster=CLUSTER),
    billing.PaymentChanged: lambda: billing.PaymentChanged(**_PAYMENT, cluster=CLUSTER),
    billing.AccountChanged: _account_changed,
    billing.DocumentWritten: _document_written,
    billing.BillingConflictAnswered: lambda: billing.BillingConflictAnswered(**_ANSWER, owner="tresorerie"),
    events.EventRecorded: lambda: events.EventRecorded(**_EVENT),
    events.RegistrationRecorded: lambda: events.RegistrationRecorded(**_REGISTRATION),
    events.EventChanged: lambda: events.EventChanged(**_EVENT, cluster=CLUSTER),
    events.RegistrationChanged: lambda: events.RegistrationChanged(**_REGISTRATION, cluster=CLUSTER),
    events.EventsConflictAnswered: lambda: events.EventsConflictAnswered(**_ANSWER, owner="evenements"),
    communications.ConsentRecorded: lambda: communications.ConsentRecorded(**_CONSENT),
    communications.MailingRecorded: lambda: communications.MailingRecorded(**_MAILING),
    communications.ConsentChanged: lambda: communications.ConsentChanged(**_CONSENT, cluster=CLUSTER),
    communications.MailingChanged: lambda: communications.MailingChanged(**_MAILING, cluster=CLUSTER),
    communications.PreferencesChanged: _preferences_changed,
    communications_write_back.ObjectionWritten: _objection_written,
    events.ParticipationChanged: _participation_changed,
    events.RegistrationWritten: _registration_written,
    commands.CreateMember: lambda: commands.CreateMember(
        **_ASKED,
        record_id="019ab08c-1f00-7c3a-8e52-3f5d2c7b9a10",
        fields={"name": "Ateliers du Gier", "siren": "123 456 782", "city": "Saint-Étienne"},
    ),
    commands.ChangeMember: lambda: commands.ChangeMember(
        **_SEEN, fields={"street": "3 place Jean-Jaurès", "brand": None}
    ),
    commands.EndMembership: lambda: commands.EndMembership(**_SEEN, on=date(2026, 11, 23)),
    commands.ChangeContacts: lambda: commands.ChangeContacts(
        **_SEEN, first_name="Zoé", last_name="Müller", role="Présidente", email="zoe@ateliers-du-gier.example"
    ),
    membership.MembershipManifestRecorded: lambda: membership.MembershipManifestRecorded(
        **_MANIFEST,
        counts={"member": 1},
        records=(_listed(membership.MembershipManifestRecord, "member", _member_recorded()),),
    ),
    billing.BillingManifestRecorded: lambda: billing.BillingManifestRecorded(
        **_MANIFEST,
        part=1,
        parts=2,
        counts={"invoice": 412, "payment": 398},
        records=(
            _listed(billing.BillingManifestRecord, "invoice", billing.InvoiceRecorded(**_INVOICE)),
            _listed(billing.BillingManifestRecord, "payment", billing.PaymentRecorded(**_PAYMENT)),
        ),
    ),
    events.EventsManifestRecorded: lambda: events.EventsManifestRecorded(
        **_MANIFEST,
        counts={"event": 1, "registration": 96},
        records=(events.EventsManifestRecord(kind="event", id="apero-2026-11", version=2),),
    ),
    communications.CommunicationsManifestRecorded: lambda: communications.CommunicationsManifestRecorded(
        **_MANIFEST, counts={"consent": 1240, "mailing": 31}
    ),
    membership.MembershipStageChanged: lambda: membership.MembershipStageChanged(**_STAGE_STATE),
    billing.BillingStageChanged: lambda: billing.BillingStageChanged(**_STAGE_STATE),
    events.EventsStageChanged: lambda: events.EventsStageChanged(**_STAGE_STATE),
    communications.CommunicationsStageChanged: lambda: communications.CommunicationsStageChanged(**_STAGE_STATE),
    WriteAccessChanged: lambda: WriteAccessChanged(
        version=_MICROSECONDS, expires_at=(datetime(2027, 11, 23, 9, 0, tzinfo=UTC),)
    ),
    **{fact: partial(fact, **_WAITING) for fact in _WAITING_FACTS},
    cutover_requests.CutoverRequested: lambda: cutover_requests.CutoverRequested(**_REQUEST),
    membership_write_back.MemberWritten: _member_written,
    membership.MemberDescribed: _member_described,
    objections.ObjectionReceived: lambda: objections.ObjectionReceived(
        version=_MICROSECONDS,
        link_digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        act="object",
        way="one-click",
        received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    ),
    event_requests.RegistrationRequested: lambda: event_requests.RegistrationRequested(
        version=_MICROSECONDS,
        session_id="5f8b1c52-9a7e-4c1d-8e0b-3d2f6a7b9c10",
        form="mfrggzdfmztwq2lkmfrggzdfmz",
        people=(
            event_requests.PersonAsked(name="Zoé Müller", email="zoe@ateliers-du-gier.example"),
            event_requests.PersonAsked(name="Léo Martin"),
        ),
        email="zoe@ateliers-du-gier.example",
        language="fr",
        received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    ),
    charges.RegistrationPriced: lambda: charges.RegistrationPriced(
        version=_MICROSECONDS,
        cluster=CLUSTER,
        registration_id="6a3f1c0e-8f1b-4c7e-9a55-0d5f2c1b7e11",
        title="Assemblée et dîner",
        day=date(2027, 3, 12),
        record=RecordRef(cluster=CLUSTER, record_id="1042"),
        name="Zoé Müller",
        email="zoe@ateliers-du-gier.example",
        seats=2,
        amount=Decimal("80.00"),
    ),
    charges.RegistrationBilled: lambda: charges.RegistrationBilled(
        version=_MICROSECONDS,
        cluster=CLUSTER,
        registration_id="6a3f1c0e-8f1b-4c7e-9a55-0d5f2c1b7e11",
        amount=Decimal("80.00"),
        references=("F-2027-000124",),
    ),
    event_requests.RegistrationAnswered: lambda: event_requests.RegistrationAnswered(
        version=_MICROSECONDS,
        link_digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        act="accept",
        received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    ),
    event_requests.AttendanceNoted: lambda: event_requests.AttendanceNoted(
        version=_MICROSECONDS,
        link_digest="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        device="K7",
        entries=(
            event_requests.PersonNoted(
                key="mfrggzdfmztwq2lkmfrggzdfmz-1",
                attendee_id="0b9d8b1e-6c1c-4d56-8f0a-3a1f5d1f0c11",
                at=datetime(2026, 11, 23, 8, 41, tzinfo=UTC),
            ),
            event_requests.PersonNoted(
                key="mfrggzdfmztwq2lkmfrggzdfmz-2", name="Paul Roux", at=datetime(2026, 11, 23, 8, 44, tzinfo=UTC)
            ),
        ),
        received_at=datetime(2026, 11, 23, 9, 0, tzinfo=UTC),
    ),
    membership_contacts.ContactDescribed: _contact_described,
    membership.MembershipCutoverAnswered: lambda: membership.MembershipCutoverAnswered(**_CUTOVER_ANSWER),
    billing.BillingCutoverAnswered: lambda: billing.BillingCutoverAnswered(**_CUTOVER_ANSWER),
    events.EventsCutoverAnswered: lambda: events.EventsCutoverAnswered(**_CUTOVER_ANSWER),
    communications.CommunicationsCutoverAnswered: lambda: communications.CommunicationsCutoverAnswered(
        **_CUTOVER_ANSWER
    ),
    **LETTER_EXAMPLES,
}
"""How to build the example of each type."""


def publisher_of(fact_type: type[Content]) -> str:
    """The first word of the example's routing key: a cluster, unless just one publisher has the right to it."""
    return fact_type.published_as or CLUSTER


def example_event(fact_type: type[Content]) -> dict[str, Any]:
    """The example as a whole structured CloudEvent, ready for JSON."""
    source = source_of(publisher_of(fact_type), fact_type.service)
    return orjson.loads(encode(source, [EXAMPLES[fact_type]()]).body)
