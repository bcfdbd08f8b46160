"""Tables of grids, decisions, fixed prices and runs. Triggers see to it that what was decided is never altered."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import DATERANGE, TIMESTAMP, UUID, ExcludeConstraint

_now = sa.text("now()")


def _moment(name: str, *, always: bool = True) -> sa.Column[object]:
    return sa.Column(name, TIMESTAMP(timezone=True), nullable=not always, server_default=_now if always else None)


def dues_tables(metadata: sa.MetaData) -> None:
    """Define them in billing's metadata, so that its migrations own them."""
    sa.Table(
        "grids",
        metadata,
        sa.Column("grid_id", UUID(as_uuid=False), primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("number", sa.Integer, nullable=False),
        sa.Column("document", sa.JSON, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        _moment("proposed_at"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("proposed_key", sa.Text),
        sa.UniqueConstraint("issuer", "number", name="grids_by_number"),
    )
    sa.Table(
        "grid_adoptions",
        metadata,
        sa.Column("grid_id", UUID(as_uuid=False), sa.ForeignKey("grids.grid_id"), primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("valid", DATERANGE, nullable=False),
        sa.Column("replaces", UUID(as_uuid=False), sa.ForeignKey("grids.grid_id")),
        sa.Column("adopted_by", sa.Text, nullable=False),
        _moment("adopted_at"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.UniqueConstraint("replaces", name="grid_adoptions_replace_once"),
        ExcludeConstraint(
            ("issuer", "="),
            ("valid", "&&"),
            name="grid_adoptions_apart",
            using="gist",
            where=sa.text("replaces is null"),
        ),
    )
    sa.Table(
        "due_decisions",
        metadata,
        sa.Column("decision_id", UUID(as_uuid=False), primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("record_id", sa.Text, nullable=False),
        sa.Column("first", sa.Date),
        sa.Column("last", sa.Date),
        sa.Column("amount", sa.Numeric(12, 2), nullable=False, server_default="0"),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        _moment("at"),
        sa.Column("taken_back_by", sa.Text),
        _moment("taken_back_at", always=False),
        sa.Column("taken_back_reason", sa.Text),
        sa.Column("line", sa.Text),
        sa.CheckConstraint(
            "kind in ('exempt', 'one-bill', 'extension', 'release', 'remit', 'credit')", name="due_decisions_kind"
        ),
        sa.CheckConstraint("amount >= 0", name="due_decisions_amount"),
        sa.Index("due_decisions_by_record", "cluster", "record_id"),
    )
    sa.Table(
        "dues",
        metadata,
        sa.Column("issuer", sa.Text, primary_key=True),
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("record_id", sa.Text, primary_key=True),
        sa.Column("first", sa.Date, primary_key=True),
        sa.Column("grid_id", UUID(as_uuid=False), sa.ForeignKey("grids.grid_id"), nullable=False),
        sa.Column("price", sa.JSON, nullable=False),
        _moment("frozen_at"),
    )
    sa.Table(
        "runs",
        metadata,
        sa.Column("run_id", UUID(as_uuid=False), primary_key=True),
        sa.Column("issuer", sa.Text, nullable=False),
        sa.Column("first", sa.Date, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("documents", sa.Integer, nullable=False),
        sa.Column("total", sa.Numeric(14, 2), nullable=False),
        sa.Column("prepared_by", sa.Text, nullable=False),
        _moment("prepared_at"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text),
        _moment("approved_at", always=False),
        sa.Column("issued_by", sa.Text),
        _moment("issued_at", always=False),
        sa.Column("prepared_key", sa.Text),
        sa.Column("approved_key", sa.Text),
    )
