"""What each field means to a producer, in a sentence; one whose own declaration describes it is not repeated.

Names mean the same in every fact. ``Fact.field`` overrides where one does not.
"""

from collections.abc import Mapping

DESCRIPTIONS: Mapping[str, str] = {
    # the envelope
    "specversion": "The version of CloudEvents",
    "id": "Unique for its source: the same id again is the same event, and is applied once",
    "source": "The publisher: /<cluster>/<service>, which is also its broker user with a point in place of the slash",
    "type": "Which fact this is, and in which version of its schema",
    "data": "The fact",
    "subject": "What it is about; not used",
    "time": "When it was published; not used, since version alone says which of two facts is newer",
    "datacontenttype": "Always application/json",
    "correlationid": "Carried to every message that this one causes, and written in the logs",
    # every fact
    "version": "The publisher's own sequence number of this record, or its time of change in microseconds since 1970. "
    "A larger one replaces what is held, a smaller or equal one changes nothing",
    "cluster": "The cluster whose former system holds the record",
    "record_id": "The member's id in the former membership system of the same cluster",
    # membership
    "name": "The company's name as registered, or the natural person's",
    "brand": "The name it goes by, where that differs; of a consent or mailing, in whose name it was asked or sent",
    "legal_form": "SAS, association…, as written",
    "siren": "SIREN as written: 9 digits, spaces allowed",
    "siret": "SIRET as written: 14 digits, spaces allowed",
    "vat": "VAT number as written",
    "InvoiceRecorded.vat": "The VAT's amount",
    "InvoiceChanged.vat": "The VAT's amount",
    "AccountInvoice.vat": "The VAT's amount",
    "AccountDocument.vat": "The VAT's amount",
    "rna": "The association's number in the Répertoire national des associations, as written",
    "naf": "Activity code (NAF, APE) as written",
    "website": "Address of its site, as written",
    "email": "E-mail address, as written",
    "phone": "Phone number, as written; one without a country prefix is read as one of the member's country",
    "mobile": "Mobile phone number, as written",
    "street": "Number and street, with line breaks if need be",
    "postcode": "Postcode, as text: 01000 has a leading zero",
    "city": "Town",
    "country": "Country, by name or ISO code, as written; France where it is missing",
    "contact_first_name": "First name of whom to write to",
    "contact_last_name": "Last name of whom to write to",
    "contact_role": "What that person does there",
    "fee_band": "The band of the fee schedule, in the former system's words",
    "headcount": "How many people work there, as written: a number or a band",
    "status": "Where it stands",
    "member_since": "First day of membership",
    "paid_until": "Last day that dues are paid for",
    "subscriptions": "Terms of membership, past ones included",
    "created_on": "Day on which the former system's record was made",
    "modified_on": "Day on which the former system's record was last changed",
    "subscription_id": "The term's id in the former system",
    "starts_on": "First day of the term",
    "ends_on": "Last day of the term",
    "reason": "Why, in the former system's words",
    # billing
    "invoice_id": "The invoice's id in the former billing system",
    "number": "The number printed on the invoice",
    "kind": "What document this is",
    "label": "One line for a person",
    "issued_on": "Day of issue",
    "due_on": "Day by which it is to be paid",
    "period_starts_on": "First day of the period that is billed",
    "period_ends_on": "Last day of the period that is billed",
    "net": "Amount before VAT",
    "gross": "Amount with VAT",
    "currency": "Always EUR",
    "payment_id": "The payment's id in the former billing system",
    "paid_on": "Day on which the money arrived",
    "amount": "Euros; of a payment, negative when money goes back",
    "method": "How it was paid, in the former system's words",
    "AccountChanged.version": "How many statements there were of this account, this one included",
    "ParticipationChanged.version": "How many statements there were of this record, this one included",
    "PreferencesChanged.version": "How many statements there were of this record, this one included",
    "departement": "Number of the département, by the postcode",
    "MemberDescribed.lineage": "The older body inside the cluster that the member came by",
    "MemberDescribed.category": "The kind of member, in the former system's words",
    "MemberDescribed.version": "How many descriptions there were of this record, this one included",
    "MemberDescribed.member_id": "The member that it was part of then; absent once nothing is left of it",
    "ContactDescribed.first_name": "First name of whom to write to",
    "ContactDescribed.last_name": "Last name of whom to write to",
    "ContactDescribed.role": "What that person does there",
    "ContactDescribed.lineage": "The older body inside the cluster that the member came by",
    "ContactDescribed.version": "How many descriptions there were of this record, this one included",
    "PaidPeriod.starts_on": "First day",
    "PaidPeriod.ends_on": "Last day",
    # events
    "event_id": "The gathering's id in the former events system",
    "title": "What the gathering is called",
    "session_id": "The session's id in the former events system",
    "starts_at": "When it begins",
    "ends_at": "When it ends",
    "place": "Where it is held",
    "registration_id": "The registration's id in the former events system",
    "registered_at": "When the member registered",
    "seats": "How many people come",
    # communications
    "consent_id": "The consent's id in the former communications system",
    "channel": "The way of contacting that it is about",
    "purpose": "What for",
    "decided_at": "When the member decided",
    "ObjectionWritten.channel": "bulk-email, or email where nothing at all is to be sent",
    "ObjectionWritten.decided_at": "When it was taken",
    "ObjectionWritten.status": "It always objects",
    "ObjectionWritten.version": "When it was taken, in microseconds since 1970",
    "mailing_id": "The mailing's id in the former communications system",
    "sent_at": "When it was sent",
    # commands
    "ChangeContacts.first_name": "First name of whom to write to",
    "ChangeContacts.last_name": "Last name of whom to write to",
    "ChangeContacts.role": "What that person does there",
    # moving former systems over
    "MembershipStageChanged.version": "Counts the moves of this cluster and service",
    "BillingStageChanged.version": "Counts the moves of this cluster and service",
    "EventsStageChanged.version": "Counts the moves of this cluster and service",
    "CommunicationsStageChanged.version": "Counts the moves of this cluster and service",
    "stage": "legacy and mirror: the former system is the authority; live and retired: Traboule is",
    "since": "From when on",
    "by": "Who moved it",
    "WriteAccessChanged.version": "A number that grows with each change",
    "MemberWritten.version": "A number that grows with everything that is told: a larger one is newer",
    "MemberWritten.record_id": "The member's id in the former system; the one that we gave it, if it was made here",
    # what membership links and parts
    "MembersMerged.version": "A number that grows with everything that membership links or parts",
    "MembersSeparated.version": "A number that grows with everything that membership links or parts",
    "MergeConflictChanged.version": "A number that grows with everything that membership links or parts",
    "member_id": "The member's id: that of its first source record, the same for ever",
    "records": "The source records that it is made of now",
    "conflict_id": "The same for the same conflict between the same two companies' records, for ever",
    "ConflictItem.kind": "What it is",
    "MergeConflictChanged.kind": "What is there twice",
    "item_id": "Its id in the former system; none for what the member's own record says",
    "between": "The two source records that hold the same twice",
    "items": "What the two source records hold for it",
    "Overlap.starts_on": "First day that both paid for",
    "Overlap.ends_on": "Last day that both paid for",
    "event": "Title of the gathering that both registered for",
    # what people are written letters about
    "recipient": "Who is written to",
    **{
        f"{fact}.version": "When it happened, in microseconds since 1970"
        for fact in (
            "DocumentIssued",
            "PaymentReminded",
            "DirectDebitAnnounced",
            "RegistrationConfirmed",
            "SeatOffered",
            "RegistrationCancelled",
        )
    },
    **{
        f"{fact}.cluster": "The cluster whose brand writes"
        for fact in (
            "DocumentIssued",
            "PaymentReminded",
            "DirectDebitAnnounced",
            "RegistrationConfirmed",
            "SeatOffered",
            "RegistrationCancelled",
        )
    },
    # what is asked at the door of other services, and answered
    "CutoverRequested.version": "When it was asked, in microseconds since 1970",
    "MembershipCutoverAnswered.version": "When it was answered, in microseconds since 1970",
    "BillingCutoverAnswered.version": "When it was answered, in microseconds since 1970",
    "EventsCutoverAnswered.version": "When it was answered, in microseconds since 1970",
    "CommunicationsCutoverAnswered.version": "When it was answered, in microseconds since 1970",
    # what is answered to a conflict
    "BillingConflictAnswered.version": "How many answers there were to this conflict, this one included",
    "EventsConflictAnswered.version": "How many answers there were to this conflict, this one included",
    "owner": "Who sees to it: the name of a team, as the service's staff chose it",
    "state": "open while staff must resolve it; settled once they did, until something else is there twice; "
    "gone when nothing is there twice any more",
    "changed_at": "When its owner or state last changed",
}


def describe(owner: str, field: str) -> str | None:
    """The description of a field of one model, by the model's name."""
    return DESCRIPTIONS.get(f"{owner}.{field}", DESCRIPTIONS.get(field))
