"""Cases of the review queue as rows, and marks of the records about which a case may be another than before.

Triggers mark, and not the program: while an upgrade lasts, processes of the version before write too. Whoever writes
with this version makes the cases of its own marks in its own transaction; a periodic task sees to the others.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, UUID

revision = "0021"
down_revision = "0020"

# As in 0013, which made these functions, and their triggers.
_VERSION = """
        insert into picture_versions as kept (name, version)
        select 'review', txid_current() where exists (select from concerned)
        on conflict (name) do update set version = excluded.version where kept.version <> excluded.version
"""
_BOTH = f"""
    create or replace function {{name}}() returns trigger language plpgsql as $$
    begin
        execute $sql$
        with concerned as materialized (select distinct cluster, record_id from ({{rows}}) as r),
        marked as (insert into review_changes (cluster, record_id) select cluster, record_id from concerned)
        {_VERSION}
        $sql$;
        return null;
    end $$
"""
_VERSION_ALONE = f"""
    create or replace function {{name}}() returns trigger language plpgsql as $$
    begin
        execute $sql$
        with concerned as materialized (select from ({{rows}}) as r limit 1)
        {_VERSION}
        $sql$;
        return null;
    end $$
"""
_IN_QUESTION = """
    exists (select from match_pairs p where p.a_cluster = r.cluster and p.a_record_id = r.record_id)
    or exists (select from match_pairs p where p.b_cluster = r.cluster and p.b_record_id = r.record_id)
    or exists (select from decision_pairs p where p.a_cluster = r.cluster and p.a_record_id = r.record_id)
    or exists (select from decision_pairs p where p.b_cluster = r.cluster and p.b_record_id = r.record_id)
"""
_DOING = "r.kind in ('invoice', 'registration', 'consent', 'mailing') and r.record_id is not null"
_CHANGED = {
    "review_added": f"select r.cluster, r.record_id from added r where {_IN_QUESTION}",
    "review_changed": """
        select n.cluster, n.record_id from added n join removed o using (cluster, record_id)
        where (n.removed, n.siren, n.member_id) is distinct from (o.removed, o.siren, o.member_id)
    """,
    "review_doing": f"select r.cluster, r.record_id from added r where {_DOING} and ({_IN_QUESTION})",
    "review_doing_elsewhere": f"""
        select n.cluster, either.record_id from added n join removed r using (kind, cluster, item_id)
        cross join lateral (values (n.record_id), (r.record_id)) as either (record_id)
        where n.record_id is distinct from r.record_id and either.record_id is not null and {_DOING}
          and (({_IN_QUESTION}) or {_IN_QUESTION.replace("r.", "n.")})
    """,
    "review_active": """
        select s.cluster, s.record_id from added n join removed o using (member_id)
        join source_records s on s.own_id = n.member_id
        where n.active <> o.active
    """,
}
_MARK = """
    create function {name}() returns trigger language plpgsql as $$
    begin
        execute $sql$
        insert into review_changes (cluster, record_id) select distinct cluster, record_id from ({rows}) as r
        $sql$;
        return null;
    end $$
"""
_ENDS = """
    select a_cluster as cluster, a_record_id as record_id from {0} union all select b_cluster, b_record_id from {0}
"""
_OF_DECISIONS = """
    select {0}_cluster as cluster, {0}_record_id as record_id from added d join decision_pairs p on p.decision_id = d.id
"""
_NEW, _OLD = "new table as added", "old table as removed"
_MARKS = {
    "mark_review_pairs": _ENDS.format("added"),
    "mark_review_no_pairs": _ENDS.format("removed"),
    "mark_review_decided": _ENDS.format("added"),
    "mark_review_decisions": f"{_OF_DECISIONS.format('a')} union all {_OF_DECISIONS.format('b')}",
}
_TRIGGERS = (
    ("match_pairs", "insert", _NEW, "mark_review_pairs"),
    ("match_pairs", "update", _NEW, "mark_review_pairs"),
    ("match_pairs", "delete", _OLD, "mark_review_no_pairs"),
    ("decision_pairs", "insert", _NEW, "mark_review_decided"),
    ("decisions", "update", _NEW, "mark_review_decisions"),
)
_ALL = f"""
    insert into review_changes (cluster, record_id)
    {_ENDS.format("match_pairs")} union {_ENDS.format("decision_pairs").replace("union all", "union")}
"""


def upgrade() -> None:
    op.create_table(
        "review_cases",
        sa.Column("case_id", sa.Text(collation="C"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False, comment="pair or contested"),
        sa.Column("gain", sa.Double(), nullable=False),
        sa.Column("probability", sa.Double(), nullable=False),
        sa.Column("clusters", ARRAY(sa.Text()), nullable=False),
        sa.Column("member_ids", ARRAY(UUID(as_uuid=False)), nullable=False),
        sa.Column("records", ARRAY(sa.Text()), nullable=False, comment="of its members: cluster/record_id"),
        sa.Column("document", sa.JSON(), nullable=False, comment="the case: see identity/review_rows.py"),
        sa.PrimaryKeyConstraint("case_id"),
    )
    op.create_index("review_cases_by_member", "review_cases", ["member_ids"], postgresql_using="gin")
    op.create_index("review_cases_by_record", "review_cases", ["records"], postgresql_using="gin")
    op.create_table(
        "review_changes",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("cluster", sa.Text(), nullable=False),
        sa.Column("record_id", sa.Text(), nullable=False),
        sa.Column("transaction", sa.BigInteger(), server_default=sa.text("txid_current()"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("review_changes_by_transaction", "review_changes", ["transaction"])
    for name, rows in _CHANGED.items():
        op.execute(_BOTH.format(name=name, rows=rows))
    for name, rows in _MARKS.items():
        op.execute(_MARK.format(name=name, rows=rows))
    for table, when, tables, name in _TRIGGERS:
        op.execute(
            f"create trigger {name}_by_{when} after {when} on {table} referencing {tables} "
            f"for each statement execute function {name}()"
        )
    op.execute(_ALL)


def downgrade() -> None:
    for table, when, _, name in _TRIGGERS:
        op.execute(f"drop trigger {name}_by_{when} on {table}")
    for name in _MARKS:
        op.execute(f"drop function {name}()")
    for name, rows in _CHANGED.items():
        op.execute(_VERSION_ALONE.format(name=name, rows=rows))
    op.drop_table("review_changes")
    op.drop_table("review_cases")
