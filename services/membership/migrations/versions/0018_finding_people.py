"""Members are found by e-mail, phone and contact: indexes over what source records hold, kept by the database alone.

They are indexes over expressions and no columns, so that the version before keeps them too.
"""

from alembic import op

revision = "0018"
down_revision = "0017"

# Immutable, so that an index may use it: no word of it depends on a locale.
FOLDED = r"""
    create function folded_words(written text) returns text language sql immutable parallel safe strict as $$
    select ' ' || btrim(regexp_replace(lower(regexp_replace(normalize(
        replace(replace(replace(replace(replace(
            translate(written, 'ØøŁłĐđı', 'OoLlDdi'), 'œ', 'oe'), 'Œ', 'OE'), 'æ', 'ae'), 'Æ', 'AE'), 'ß', 'ss'),
        nfkd), '[\u0300-\u036f]', '', 'g') collate "C"), '[[:space:][:punct:]’]+', ' ', 'g'))
    $$
"""
# A person's record has the name of the person where another has that of a company. The body is no text: what it calls
# is found now, and not by the search path, which is empty while a backup is restored.
CONTACT = """
    create function contact_words(written json) returns text language sql immutable parallel safe
    return folded_words(concat_ws(' ', written ->> 'contact_first_name', written ->> 'contact_last_name',
                                  case when written ->> 'works_for' <> '' then written ->> 'name' end))
"""


def upgrade() -> None:
    op.execute(FOLDED)
    op.execute(CONTACT)
    for field in ("email", "phone", "mobile"):
        op.execute(
            f"create index source_records_by_{field} on source_records ((understood ->> '{field}') text_pattern_ops) "
            f"where understood ->> '{field}' is not null"
        )
    op.execute(
        "create index source_records_by_contact on source_records using gin (contact_words(written) gin_trgm_ops)"
    )


def downgrade() -> None:
    for index in ("email", "phone", "mobile", "contact"):
        op.execute(f"drop index source_records_by_{index}")
    op.execute("drop function contact_words(json)")
    op.execute("drop function folded_words(text)")
