"""Tables of payments that are recorded here. Rows are only ever added; triggers refuse to spend what is not free."""

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

_PAYMENT = "payments_received.payment_id"


def _text(name: str, *, always: bool = True) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=not always)


def _id(name: str, refers: str | None = None, *, key: bool = False, always: bool = True) -> sa.Column[str]:
    references = [sa.ForeignKey(refers)] if refers else []
    return sa.Column(name, UUID(as_uuid=False), *references, primary_key=key, nullable=not always)


def _amount(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Numeric(12, 2), nullable=False)


def _on(name: str) -> sa.Column[object]:
    return sa.Column(name, sa.Date, nullable=False)


def _at() -> sa.Column[object]:
    return sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()"))


def payments_tables(metadata: sa.MetaData) -> None:
    """Define them in billing's metadata, so that its migrations own them."""
    sa.Table(
        "payments_received",
        metadata,
        _id("payment_id", key=True),
        *(_text(name) for name in ("issuer", "cluster", "record_id")),
        _amount("amount"),
        _on("received_on"),
        *(_text(name) for name in ("means", "reference", "key", "account", "advances", "recorded_by")),
        _text("recorded_key", always=False),
        _text("reason"),
        _at(),
        sa.UniqueConstraint("issuer", "key", name="payments_received_once"),
        sa.CheckConstraint("amount > 0", name="payments_received_amount"),
        sa.CheckConstraint(
            "means in ('transfer', 'direct-debit', 'cheque', 'card', 'cash')", name="payments_received_means"
        ),
        sa.Index("payments_received_by_record", "cluster", "record_id"),
        sa.Index("payments_received_by_day", "received_on", "at", "payment_id"),
    )
    sa.Table(
        "allocations",
        metadata,
        _id("allocation_id", key=True),
        _id("payment_id", _PAYMENT),
        _id("document_id", "documents.document_id"),
        _amount("amount"),
        _id("undoes", "allocations.allocation_id", always=False),
        _on("booked_on"),
        _text("author"),
        _text("reason"),
        _at(),
        sa.UniqueConstraint("undoes", name="allocations_undone_once"),
        sa.CheckConstraint("amount <> 0 and (amount < 0) = (undoes is not null)", name="allocations_amount"),
        sa.Index("allocations_by_payment", "payment_id"),
        sa.Index("allocations_by_document", "document_id"),
    )
    _money_out(metadata)


def _money_out(metadata: sa.MetaData) -> None:
    sa.Table(
        "refunds",
        metadata,
        _id("refund_id", key=True),
        _id("payment_id", _PAYMENT),
        _amount("amount"),
        _text("asked_by"),
        _text("asked_key", always=False),
        _text("reason"),
        _at(),
        sa.CheckConstraint("amount > 0", name="refunds_amount"),
        sa.Index("refunds_by_payment", "payment_id"),
    )
    sa.Table(
        "refund_approvals",
        metadata,
        _id("refund_id", "refunds.refund_id", key=True),
        _on("paid_on"),
        *(_text(name) for name in ("account", "approved_by", "approved_key", "reason")),
        _at(),
    )
    sa.Table(
        "payment_returns",
        metadata,
        _id("payment_id", _PAYMENT, key=True),
        _id("return_id"),
        _on("returned_on"),
        _text("code"),
        _amount("fee"),
        *(_text(name) for name in ("bank", "fees", "author", "reason")),
        _at(),
        sa.UniqueConstraint("return_id", name="payment_returns_id"),
        sa.CheckConstraint("fee >= 0", name="payment_returns_fee"),
    )
