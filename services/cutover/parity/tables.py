"""The tables that every service's database holds for proving parity with its former systems."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, TIMESTAMP


@dataclass(frozen=True, slots=True)
class ParityTables:
    """Runs, the differences that each found, which of these a person accepts, what former systems say they hold, and
    which comparisons with that were begun and not ended.
    """

    runs: sa.Table
    differences: sa.Table
    acceptances: sa.Table
    manifests: sa.Table
    attempts: sa.Table


def parity_tables(metadata: sa.MetaData) -> ParityTables:
    """Define them in a service's metadata, so that its migrations own them."""
    return ParityTables(
        _runs(metadata), _differences(metadata), _acceptances(metadata), _manifests(metadata), _attempts(metadata)
    )


def _runs(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "parity_runs",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("source", ARRAY(sa.Text), nullable=False, comment="the files that say what is there"),
        sa.Column("counts", sa.JSON, nullable=False, comment="per kind: there, here"),
        sa.Column("sums", sa.JSON, nullable=False, comment="money per kind and year: there, here"),
        sa.Column("open", sa.BigInteger, nullable=False, comment="differences, when it ran"),
        sa.Column("accepted", sa.BigInteger, nullable=False, comment="differences, when it ran"),
        sa.Column(
            "subject",
            sa.Text,
            nullable=False,
            server_default="mirror",
            comment="mirror: what both hold; rehearsal: what it did, and what we would have done",
        ),
        sa.Column("manifest", sa.BigInteger, comment="the version of the manifest compared with"),
        sa.CheckConstraint("subject in ('mirror', 'rehearsal')", name="parity_runs_subject"),
        sa.Index("parity_runs_by_cluster", "cluster", "id"),
    )


def _differences(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "parity_differences",
        metadata,
        sa.Column("run_id", sa.BigInteger, sa.ForeignKey("parity_runs.id"), primary_key=True),
        sa.Column("digest", sa.Text, primary_key=True, comment="of all that makes it up"),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("item_id", sa.Text, nullable=False),
        sa.Column("what", sa.Text, nullable=False),
        sa.Column("fields", ARRAY(sa.Text), nullable=False),
        sa.Column("there", sa.JSON),
        sa.Column("here", sa.JSON),
        sa.Column("why", sa.JSON, comment="what is wrong with each field of a row that cannot be read"),
        sa.Column("owner", sa.Text, comment="who sees to it; stays with the record from run to run"),
        sa.CheckConstraint(
            "what in ('missing-here', 'missing-there', 'different', 'unreadable')", name="parity_differences_what"
        ),
        sa.Index("parity_differences_owned", "run_id", postgresql_where=sa.text("owner is not null")),
    )


def _acceptances(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "parity_acceptances",
        metadata,
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("cluster", sa.Text, nullable=False),
        sa.Column("digest", sa.Text, nullable=False, comment="of the difference, in whatever run it is found"),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("taken_back_at", TIMESTAMP(timezone=True)),
        sa.Column("taken_back_by", sa.Text),
        sa.Column("taken_back_reason", sa.Text),
        sa.Index(
            "parity_acceptances_in_force",
            "cluster",
            "digest",
            unique=True,
            postgresql_where=sa.text("taken_back_at is null"),
        ),
    )


def _manifests(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "manifests",
        metadata,
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("version", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("part", sa.Integer, primary_key=True, autoincrement=False, comment="of how many parts, from 1"),
        sa.Column("parts", sa.Integer, nullable=False),
        sa.Column("received_at", TIMESTAMP(timezone=True), nullable=False, server_default=sa.text("now()")),
        sa.Column("counts", sa.JSON, nullable=False, comment="records that the former system holds, by kind"),
        sa.Column("records", sa.JSON, nullable=False, comment="kind, id, version and digest of each"),
    )


def _attempts(metadata: sa.MetaData) -> sa.Table:
    return sa.Table(
        "parity_attempts",
        metadata,
        sa.Column("cluster", sa.Text, primary_key=True),
        sa.Column("manifest", sa.BigInteger, nullable=False, comment="the version of the manifest compared with"),
        sa.Column("attempts", sa.Integer, nullable=False, comment="begun one after the other, and none ended"),
        sa.Column("begun_at", TIMESTAMP(timezone=True), nullable=False, comment="the last of them"),
    )
