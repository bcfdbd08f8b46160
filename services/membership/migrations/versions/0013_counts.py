"""What is asked often of all members is kept: how many there are of each kind, and when the review queue changed.

Triggers keep it, and not the program: while an upgrade lasts, processes of the version before write too.
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY

revision = "0013"
down_revision = "0012"

_KIND = "clusters, lineages, departement, active, exempt, paid_until"

# One text for all that is counted by, since null equals nothing.
_AS_TEXT = f"jsonb_build_array({_KIND})::text"
# execute plans each time: a plan made while the tables were empty would read them whole for each batch.
_COUNT = f"""
    create function {{name}}() returns trigger language plpgsql as $$
    declare
        changes bigint;
    begin
        execute $sql$
        merge into view_counts as kept using (
            select {_AS_TEXT} as kind, {_KIND}, sum(members)::bigint as members from ({{rows}}) as r
            group by {_KIND} having sum(members) <> 0
        ) as n on kept.kind = n.kind
        when matched and kept.members + n.members <= 0 then delete
        when matched then update set members = kept.members + n.members
        when not matched and n.members > 0 then insert (kind, {_KIND}, members)
            values (n.kind, n.clusters, n.lineages, n.departement, n.active, n.exempt, n.paid_until, n.members)
        $sql$;
        get diagnostics changes = row_count;
        if changes > 0 then
            insert into picture_versions as kept (name, version) values ('members', txid_current())
            on conflict (name) do update set version = excluded.version where kept.version <> excluded.version;
        end if;
        return null;
    end $$
"""
_MORE = f"select {_KIND}, 1 as members from added"
_FEWER = f"select {_KIND}, -1 as members from removed"
_COUNTS = {
    "count_added_views": ("insert", "new table as added", _MORE),
    "count_removed_views": ("delete", "old table as removed", _FEWER),
    "count_changed_views": (
        "update",
        "old table as removed new table as added",
        f"{_MORE} union all {_FEWER}",
    ),
}
_COUNT_NONE = """
    create function count_no_views() returns trigger language plpgsql as $$
    begin
        delete from view_counts;
        delete from picture_versions where name = 'members';
        return null;
    end $$
"""
_WHEN_EMPTIED = "create trigger count_no_views after truncate on views execute function count_no_views()"
_ALL = f"""
    insert into view_counts (kind, {_KIND}, members) select {_AS_TEXT}, {_KIND}, count(*) from views group by {_KIND}
"""

_REVIEW_CHANGES = """
    create function {name}() returns trigger language plpgsql as $$
    begin
        execute $sql$
        insert into picture_versions as kept (name, version)
        select 'review', txid_current() where exists ({rows})
        on conflict (name) do update set version = excluded.version where kept.version <> excluded.version
        $sql$;
        return null;
    end $$
"""
# A record is in question if it is part of a judged or a decided pair: what else is said of others changes no case.
_IN_QUESTION = """
    exists (select from match_pairs p where p.a_cluster = r.cluster and p.a_record_id = r.record_id)
    or exists (select from match_pairs p where p.b_cluster = r.cluster and p.b_record_id = r.record_id)
    or exists (select from decision_pairs p where p.a_cluster = r.cluster and p.a_record_id = r.record_id)
    or exists (select from decision_pairs p where p.b_cluster = r.cluster and p.b_record_id = r.record_id)
"""
_DOING = "r.kind in ('invoice', 'registration', 'consent', 'mailing') and r.record_id is not null"
_REVIEWS = {
    "review_added": f"select from added r where {_IN_QUESTION}",
    "review_changed": """
        select from added n join removed o using (cluster, record_id)
        where (n.removed, n.siren, n.member_id) is distinct from (o.removed, o.siren, o.member_id)
    """,
    "review_doing": f"select from added r where {_DOING} and ({_IN_QUESTION})",
    "review_doing_elsewhere": f"""
        select from added n join removed r using (kind, cluster, item_id)
        where n.record_id is distinct from r.record_id and {_DOING}
          and (({_IN_QUESTION}) or {_IN_QUESTION.replace("r.", "n.")})
    """,
    "review_active": """
        select from added n join removed o using (member_id) where n.active <> o.active
    """,
    "review_any": "select from added",
    "review_none": "select from removed",
}
_NEW, _OLD = "new table as added", "old table as removed"
_REVIEW_TRIGGERS = (
    ("source_records", "insert", _NEW, "review_added"),
    ("source_records", "update", f"{_OLD} {_NEW}", "review_changed"),
    ("related", "insert", _NEW, "review_doing"),
    ("related", "update", f"{_OLD} {_NEW}", "review_doing_elsewhere"),
    ("views", "update", f"{_OLD} {_NEW}", "review_active"),
    ("match_pairs", "insert", _NEW, "review_any"),
    ("match_pairs", "update", _NEW, "review_any"),
    ("match_pairs", "delete", _OLD, "review_none"),
    ("decisions", "insert", _NEW, "review_any"),
    ("decisions", "update", _NEW, "review_any"),
)


def upgrade() -> None:
    op.create_table(
        "view_counts",
        sa.Column("kind", sa.Text(), nullable=False, comment="all that follows but the number, as JSON"),
        sa.Column("clusters", ARRAY(sa.Text()), nullable=False),
        sa.Column("lineages", ARRAY(sa.Text()), nullable=False),
        sa.Column("departement", sa.Text()),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("exempt", sa.Boolean(), nullable=False),
        sa.Column("paid_until", sa.Date()),
        sa.Column("members", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("kind"),
    )
    op.create_table(
        "picture_versions",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False, comment="the transaction that changed it last"),
        sa.PrimaryKeyConstraint("name"),
    )
    for name, (when, tables, rows) in _COUNTS.items():
        op.execute(_COUNT.format(name=name, rows=rows))
        op.execute(
            f"create trigger {name} after {when} on views referencing {tables} "
            f"for each statement execute function {name}()"
        )
    op.execute(_COUNT_NONE)
    op.execute(_WHEN_EMPTIED)
    op.execute(_ALL)
    for name, rows in _REVIEWS.items():
        op.execute(_REVIEW_CHANGES.format(name=name, rows=rows))
    for table, when, tables, name in _REVIEW_TRIGGERS:
        op.execute(
            f"create trigger {name}_by_{when} after {when} on {table} referencing {tables} "
            f"for each statement execute function {name}()"
        )


def downgrade() -> None:
    for table, when, _, name in _REVIEW_TRIGGERS:
        op.execute(f"drop trigger {name}_by_{when} on {table}")
    for name in (*_COUNTS, "count_no_views"):
        op.execute(f"drop trigger {name} on views")
    for name in (*_REVIEWS, *_COUNTS, "count_no_views"):
        op.execute(f"drop function {name}()")
    op.drop_table("picture_versions")
    op.drop_table("view_counts")
