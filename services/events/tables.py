"""Tables of the events service: mirrors of gatherings and registrations, and the messaging tables."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP

from schemas.stored import as_json
from services.common.member_records import member_records_table
from services.common.sections import section_tables
from services.conflicts.tables import merge_conflicts_table
from services.cutover.parity.tables import parity_tables
from services.cutover.tables import cutover_tables
from services.events.seats.tables import seats_tables
from shared.messaging.tables import messaging_tables
from shared.persistence.mirror import mirror_columns

metadata = sa.MetaData()
messaging = messaging_tables(metadata)
cutover = cutover_tables(metadata)
parity = parity_tables(metadata)
member_records = member_records_table(metadata)
merge_conflicts = merge_conflicts_table(metadata)
section_tables(metadata)
seats_tables(metadata)

events = sa.Table(
    "events",
    metadata,
    *mirror_columns("event_id"),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("starts_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("ends_at", TIMESTAMP(timezone=True)),
    sa.Column("place", sa.Text),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("capacity", sa.Integer),
    sa.Column("closes_at", TIMESTAMP(timezone=True)),
    sa.Column("sessions", sa.JSON, info={"of": lambda fact: as_json(fact.sessions)}),
)

registrations = sa.Table(
    "registrations",
    metadata,
    *mirror_columns("registration_id"),
    # No foreign key: a registration may arrive before its event.
    sa.Column("event_id", sa.Text, nullable=False),
    sa.Column("record_id", sa.Text),
    sa.Column("registered_at", TIMESTAMP(timezone=True), nullable=False),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("seats", sa.Integer, nullable=False),
    sa.Column("registrant", sa.JSON, info={"of": lambda fact: as_json(fact.registrant)}),
    sa.Index("registrations_by_record", "cluster", "record_id"),
    sa.Index("registrations_by_event", "cluster", "event_id"),
)

described_records = sa.Table(
    "described_records",
    metadata,
    sa.Column("cluster", sa.Text, primary_key=True),
    sa.Column("record_id", sa.Text, primary_key=True),
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("name", sa.Text),
    sa.Column("departement", sa.Text),
)
