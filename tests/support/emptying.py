"""How a test forgets what the one before left in a database."""

from typing import Final

EMPTY: Final = """
do $$
declare
    item record;
    filled boolean;
begin
    -- Tables that refer to others come first.
    for item in
        with recursive refers (oid, depth) as (
            select c.oid, 0 from pg_class c
            where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relname <> 'alembic_version'
            union
            select f.conrelid, r.depth + 1 from refers r join pg_constraint f on f.confrelid = r.oid
            where f.contype = 'f' and f.conrelid <> f.confrelid
        )
        select oid::regclass as name from refers group by oid order by max(depth) desc
    loop
        execute format('select exists (select from %s)', item.name) into filled;
        if filled then
            -- What is never altered is forgotten by tests alone.
            execute format('alter table %s disable trigger user', item.name);
            execute format('delete from %s', item.name);
            execute format('alter table %s enable trigger user', item.name);
        end if;
    end loop;
    perform setval(format('%I', sequencename)::regclass, start_value, false)
    from pg_sequences where schemaname = 'public' and last_value is not null;
end $$
"""
"""Every table of the database but Alembic's is empty, and numbers begin anew.

``truncate`` makes new files for forty tables and all their indexes, which takes five times as long.
"""
