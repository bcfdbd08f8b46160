"""Tables of issued documents. Triggers see to it that none is altered, and no credit is above what it corrects."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, DATERANGE, TIMESTAMP, UUID, ExcludeConstraint


def documents_tables(metadata: sa.MetaData) -> None:
    """Define them in billing's metadata, so that its migrations own them."""
    sa.Table(
        "series",
        metadata,
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("next", sa.Integer, nullable=False),
        sa.Column("last_on", sa.Date, nullable=False),
    )
    sa.Table(
        "documents",
        metadata,
        sa.Column("document_id", UUID(as_uuid=False), primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("year", sa.Integer, nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("issued_on", sa.Date, nullable=False),
        sa.Column("due_on", sa.Date),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("last", sa.Date, comment="none: the last day of the year that begins on first"),
        sa.Column("charge_id", UUID(as_uuid=False), comment="the registration whose seats it bills; none: dues"),
        sa.Column("corrects", UUID(as_uuid=False), sa.ForeignKey("documents.document_id")),
        sa.Column("seller", sa.JSON, nullable=False),
        sa.Column("buyer", sa.JSON, nullable=False),
        sa.Column("net", sa.Numeric(12, 2), nullable=False),
        sa.Column("vat", sa.Numeric(12, 2), nullable=False),
        sa.Column("gross", sa.Numeric(12, 2), nullable=False),
        sa.Column("reference", sa.Text, nullable=False),
        sa.Column("why", sa.Text, nullable=False),
        sa.Column("run_id", UUID(as_uuid=False), sa.ForeignKey("runs.run_id")),
        sa.Column("issued_by", sa.Text, nullable=False),
        sa.Column("issued_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.CheckConstraint("kind in ('invoice', 'credit-note', 'dues-notice')", name="documents_kind"),
        sa.UniqueConstraint("number", name="documents_number"),
        sa.UniqueConstraint("issuer", "kind", "year", "place", name="documents_in_series"),
        sa.UniqueConstraint("reference", name="documents_reference"),
        sa.CheckConstraint("gross = net + vat and net > 0 and vat >= 0", name="documents_add_up"),
        sa.CheckConstraint("(kind = 'credit-note') = (corrects is not null)", name="documents_corrects"),
        sa.Index("documents_by_record", "cluster", "record_id", "first"),
        sa.Index(
            "documents_by_charge",
            "charge_id",
            unique=True,
            postgresql_where=sa.text("charge_id is not null and corrects is null"),
        ),
        sa.Index("documents_by_corrected", "corrects", postgresql_where=sa.text("corrects is not null")),
    )
    sa.Table(
        "document_lines",
        metadata,
        sa.Column("document_id", UUID(as_uuid=False), sa.ForeignKey("documents.document_id"), primary_key=True),
        sa.Column("place", sa.Integer, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("label", sa.Text, nullable=False),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False),
        sa.Column("units", ARRAY(sa.Integer), nullable=False),
        sa.Column("vat_regime", sa.Text, nullable=False),
        sa.Column("vat_rate", sa.Numeric(5, 2), nullable=False),
        sa.Column("vat_code", sa.Text),
        sa.Column("account", sa.Text, nullable=False),
        sa.Column("corrects_place", sa.Integer),
        sa.CheckConstraint("amount > 0", name="document_lines_amount"),
    )
    sa.Table(
        "document_files",
        metadata,
        sa.Column("document_id", UUID(as_uuid=False), sa.ForeignKey("documents.document_id"), primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("content", sa.LargeBinary, nullable=False),
        sa.Column("sha256", sa.LargeBinary, nullable=False),
        sa.Column("made_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.CheckConstraint("kind in ('pdf', 'xml')", name="document_files_kind"),
    )
    sa.Table(
        "document_failures",
        metadata,
        sa.Column("document_id", UUID(as_uuid=False), sa.ForeignKey("documents.document_id"), primary_key=True),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("error", sa.Text, nullable=False),
        sa.Column("first_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("next_at", TIMESTAMP(timezone=True), nullable=False),
    )
    sa.Table(
        "series_comparisons",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("fingerprint", sa.Text, nullable=False),
        sa.Column("sent", ARRAY(sa.Text), nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
    )
    sa.Table(
        "lost_numbers",
        metadata,
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("first", sa.Integer, primary_key=True),
        sa.Column("last", sa.Integer, nullable=False),
        sa.Column("comparison", sa.BigInteger, sa.ForeignKey("series_comparisons.id"), nullable=False),
    )
    sa.Table(
        "billed_days",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("payer", UUID(as_uuid=False), nullable=False),
        sa.Column("days", DATERANGE, nullable=False),
        sa.Column("document_id", UUID(as_uuid=False), nullable=False),
        sa.Column("place", sa.Integer, nullable=False),
        sa.Column("released_by", UUID(as_uuid=False), sa.ForeignKey("documents.document_id")),
        sa.ForeignKeyConstraint(
            ["document_id", "place"], ["document_lines.document_id", "document_lines.place"], name="billed_days_line"
        ),
        ExcludeConstraint(
            ("payer", "="),
            ("days", "&&"),
            name="billed_days_once",
            using="gist",
            where=sa.text("released_by is null"),
        ),
        sa.Index("billed_days_by_line", "document_id", "place"),
    )
