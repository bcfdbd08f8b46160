"""Tables of communications: mirrors, suppressions, deliveries, and the messaging tables."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

from services.common.member_records import member_records_table
from services.common.sections import section_tables
from services.communications.contacts.contact import key_of
from services.communications.deliveries.tables import delivery_tables
from services.communications.suppressions.tables import suppression_tables
from services.cutover.parity.tables import parity_tables
from services.cutover.tables import cutover_tables
from shared.messaging.tables import messaging_tables
from shared.persistence.mirror import applied_late_column, mirror_columns

metadata = sa.MetaData()
messaging = messaging_tables(metadata)
cutover = cutover_tables(metadata)
parity = parity_tables(metadata)
member_records = member_records_table(metadata)
sa.Index("member_records_by_member", member_records.c.member_id)
section_tables(metadata)
suppression_tables(metadata)
delivery_tables(metadata)

consents = sa.Table(
    "consents",
    metadata,
    *mirror_columns("consent_id"),
    sa.Column("record_id", sa.Text),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("brand", sa.Text),
    sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("proof", sa.Text),
    sa.Column("address", sa.Text),
    sa.Column("wording", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column("address_key", sa.Text, info={"of": lambda fact: key_of(fact.address)}, comment="address, normalised"),
    sa.Index("consents_by_record", "cluster", "record_id"),
    sa.Index("consents_by_address", "address_key", postgresql_where=sa.text("address_key is not null")),
)

consent_history = sa.Table(
    "consent_history",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("consent_id", sa.Text, primary_key=True),
    sa.Column("content", sa.LargeBinary, primary_key=True, comment="digest of what was said, whatever its version"),
    sa.Column("version", sa.BigInteger, nullable=False, comment="of the telling that said it first"),
    sa.Column("record_id", sa.Text),
    sa.Column("address_key", sa.Text, comment="the address, normalised"),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("brand", sa.Text),
    sa.Column("decided_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("proof", sa.Text),
    sa.Column("wording", sa.Text),
    sa.Column("source", sa.Text),
    sa.Column("received_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Column("suppressed", sa.Boolean, nullable=False, server_default=sa.false(), comment="if it objects: it is"),
    sa.Index("consent_history_by_record", "record_id"),
    sa.Index(
        "consent_history_waiting",
        "cluster",
        "consent_id",
        postgresql_where=sa.text("not suppressed and status in ('refused', 'withdrawn')"),
    ),
    sa.Index("consent_history_by_address", "address_key", postgresql_where=sa.text("address_key is not null")),
)

mailings = sa.Table(
    "mailings",
    metadata,
    *mirror_columns("mailing_id"),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("purpose", sa.Text),
    sa.Column("brand", sa.Text),
    sa.Column("sent_at", TIMESTAMP(timezone=True), nullable=False),
)

recipients = sa.Table(
    "recipients",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("mailing_id", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest telling that names him"),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    applied_late_column("of its mailing, when that telling came"),
    sa.Index("recipients_by_record", "cluster", "record_id"),
)

address_recipients = sa.Table(
    "address_recipients",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("mailing_id", sa.Text, primary_key=True),
    sa.Column("address", sa.Text, primary_key=True, comment="as written"),
    sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest telling that names it"),
    sa.Column("digest", sa.LargeBinary, nullable=False),
    applied_late_column("of its mailing, when that telling came"),
    sa.Column("address_key", sa.Text, comment="normalised; null if it is no address"),
    sa.Index("address_recipients_by_address", "address_key"),
)

seen_test_mails = sa.Table(
    "seen_test_mails",
    metadata,
    sa.Column("delivery_id", sa.Uuid(as_uuid=False), primary_key=True),
    sa.Column("brand", sa.Text, nullable=False),
    sa.Column("seen_by", sa.Text, nullable=False),
    sa.Column("seen_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
    sa.Index("seen_test_mails_by_brand", "brand", "seen_at"),
)

objections_written = sa.Table(
    "objections_written",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("item", sa.Text, primary_key=True, comment="an objection taken here, as its former system is told of it"),
    sa.Column("written_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.func.now()),
)

contacts = sa.Table(
    "contacts",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False, comment="of the newest description"),
    sa.Column("member_id", sa.Text, comment="as the description says; merges told later come first"),
    sa.Column("address", sa.Text, comment="its own, normalised; null if it has none that could be written to"),
    sa.Column("shown_address", sa.Text, comment="its member's, normalised, as it is shown"),
    sa.Column("document", sa.JSON, nullable=False, comment="the fact, as membership announced it"),
    sa.Index("contacts_by_address", "address"),
    sa.Index("contacts_by_shown_address", "shown_address"),
    sa.Index("contacts_by_member", "member_id"),
)

contact_keys = sa.Table(
    "contact_keys",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("address_key", sa.LargeBinary, primary_key=True, comment="HMAC of an address that it has"),
    sa.Column("key_id", sa.Text, nullable=False, comment="of the secret that address_key was made with"),
    sa.Column("shown", sa.Boolean, nullable=False, comment="it is its member's, and not its own"),
    sa.ForeignKeyConstraint(["cluster", "record_id"], ["contacts.cluster", "contacts.record_id"]),
    sa.Index("contact_keys_by_address", "address_key"),
)
