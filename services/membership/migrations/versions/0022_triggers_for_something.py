"""Triggers do nothing where nothing changed, and keep their plans: of a small batch they took a seventh of the time.

An insert that updates what is there calls the triggers of both, mostly one of them for no row. And ``execute`` planned
each time, which took longer than a small batch itself. It guarded against plans that were made while tables were empty:
they would read them whole. Now the functions say that indexes are used, as the program does of its own statements.
"""

from alembic import op

revision = "0022"
down_revision = "0021"

_BY_KEY = "set enable_seqscan = off"
# Two sets of changed rows have no index: row by row, a batch would be compared with itself.
_BY_HASH = "set enable_hashjoin = on"

_FUNCTION = """
    create or replace function {name}() returns trigger language plpgsql {settings} as $$
    begin
        if not exists (select from {rows}) then
            return null;
        end if;
        {statement};
        return null;
    end $$
"""
_EACH_TIME = """
    create or replace function {name}() returns trigger language plpgsql as $$
    begin
        execute $sql$
        {statement}
        $sql$;
        return null;
    end $$
"""
_ONCE = """
    create or replace function {name}() returns trigger language plpgsql as $$
    begin
        {statement};
        return null;
    end $$
"""

# --- what other services are told of records -----------------------------------------------------------------------

_OF_RECORDS = "insert into {table} (cluster, record_id) select cluster, record_id from changed"
_OF_VIEWS = """
        insert into {table} (cluster, record_id)
        select s.cluster, s.record_id from changed c cross join lateral
            (select * from source_records where member_id = c.member_id offset 0) s
"""
# What this transaction marked already is not marked again: most views are written with their records.
_NOT_AGAIN = "except select cluster, record_id from {table} where transaction = txid_current()"
_TOLD = {"mark_descriptions": "section_changes", "mark_contacts": "contact_changes"}

# --- by whom members are found -------------------------------------------------------------------------------------

# Most records name no contact: to take their text apart for that was a sixth of what it costs to save them.
_CONTACT = """
    create or replace function contact_words(written json) returns text language sql immutable parallel safe
    return case when {named} then
        folded_words(concat_ws(' ', written ->> 'contact_first_name', written ->> 'contact_last_name',
                               case when written ->> 'works_for' <> '' then written ->> 'name' end))
    else ' ' end
"""
_NAMING = ("contact_first_name", "contact_last_name", "works_for")
_NAMED = " or ".join(f"position('\"{field}\"' in written::text) > 0" for field in _NAMING)

# --- how many members there are ------------------------------------------------------------------------------------

_KIND = "clusters, lineages, departement, active, exempt, paid_until"
_MERGE = f"""
        merge into view_counts as kept using (
            select jsonb_build_array({_KIND})::text as kind, {_KIND}, sum(members)::bigint as members
            from ({{rows}}) as r group by {_KIND} having sum(members) <> 0
        ) as n on kept.kind = n.kind
        when matched and kept.members + n.members <= 0 then delete
        when matched then update set members = kept.members + n.members
        when not matched and n.members > 0 then insert (kind, {_KIND}, members)
            values (n.kind, n.clusters, n.lineages, n.departement, n.active, n.exempt, n.paid_until, n.members)
"""
_COUNTED = """
        get diagnostics changes = row_count;
        if changes > 0 then
            insert into picture_versions as kept (name, version) values ('members', txid_current())
            on conflict (name) do update set version = excluded.version where kept.version <> excluded.version;
        end if;
        return null;
    end $$
"""
_COUNT = f"""
    create or replace function {{name}}() returns trigger language plpgsql {_BY_KEY} as $$
    declare
        changes bigint;
    begin
        if not exists (select from {{any}}) then
            return null;
        end if;
        {_MERGE};
        {_COUNTED}
"""
_COUNT_EACH_TIME = f"""
    create or replace function {{name}}() returns trigger language plpgsql as $$
    declare
        changes bigint;
    begin
        execute $sql$
        {_MERGE}
        $sql$;
        {_COUNTED}
"""
_MORE = f"select {_KIND}, 1 as members from added"
_FEWER = f"select {_KIND}, -1 as members from removed"
_COUNTS = {
    "count_added_views": ("added", _MORE),
    "count_removed_views": ("removed", _FEWER),
    "count_changed_views": ("added", f"{_MORE} union all {_FEWER}"),
}

# --- which cases of the review queue are made anew -----------------------------------------------------------------

_CONCERNED = """
        with concerned as materialized (select distinct cluster, record_id from ({rows}) as r),
        marked as (insert into review_changes (cluster, record_id) select cluster, record_id from concerned)
        insert into picture_versions as kept (name, version)
        select 'review', txid_current() where exists (select from concerned)
        on conflict (name) do update set version = excluded.version where kept.version <> excluded.version
"""
_MARKED = "insert into review_changes (cluster, record_id) select distinct cluster, record_id from ({rows}) as r"
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
_ENDS = """
    select a_cluster as cluster, a_record_id as record_id from {0} union all select b_cluster, b_record_id from {0}
"""
_ENDS_MARKED = {"mark_review_pairs": "added", "mark_review_no_pairs": "removed"}


def upgrade() -> None:
    op.execute(_CONTACT.format(named=_NAMED))
    for name, table in _TOLD.items():
        for of, statement in (("source_records", _OF_RECORDS), ("views", _OF_VIEWS + _NOT_AGAIN)):
            _make(f"{name}_of_{of}", "changed", statement.format(table=table))
    for name, (changed, rows) in _COUNTS.items():
        op.execute(_COUNT.format(name=name, any=changed, rows=rows))
    for name, rows in _CHANGED.items():
        _make(name, "added", _CONCERNED.format(rows=rows))
    for name, changed in _ENDS_MARKED.items():
        _make(name, changed, _MARKED.format(rows=_ENDS.format(changed)))


def _make(name: str, rows: str, statement: str) -> None:
    settings = f"{_BY_KEY} {_BY_HASH}" if " join removed " in statement else _BY_KEY
    op.execute(_FUNCTION.format(name=name, settings=settings, rows=rows, statement=statement))


def downgrade() -> None:
    op.execute(_CONTACT.format(named="true"))
    for name, table in _TOLD.items():
        op.execute(_ONCE.format(name=f"{name}_of_source_records", statement=_OF_RECORDS.format(table=table)))
        op.execute(_EACH_TIME.format(name=f"{name}_of_views", statement=_OF_VIEWS.format(table=table)))
    for name, (_, rows) in _COUNTS.items():
        op.execute(_COUNT_EACH_TIME.format(name=name, rows=rows))
    for name, rows in _CHANGED.items():
        op.execute(_EACH_TIME.format(name=name, statement=_CONCERNED.format(rows=rows)))
    for name, changed in _ENDS_MARKED.items():
        op.execute(_EACH_TIME.format(name=name, statement=_MARKED.format(rows=_ENDS.format(changed))))
