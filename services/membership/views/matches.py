"""Members by what a person who looks for one has: an e-mail address, a phone number, a former id, a contact's name.

These are personal data, and so are searched for those alone who may read them. What is typed is read as the records'
own values were, and compared with these and with what staff set by hand.
"""

from asyncio import to_thread
from collections.abc import Collection, Iterator, Mapping
from functools import cache
from typing import Final, Literal, NamedTuple

from services.membership.normalisation.contact_points import read_email, read_phone
from services.membership.normalisation.places import departements
from services.membership.rows import Rows
from services.membership.views.search_terms import literal, plain_words

Matched = Literal["email", "phone", "record", "contact"]

EXACT: Final = frozenset[Matched]({"email", "phone", "record"})
"""What leads to one member, mostly: a page may open it at once."""
_ORDER: Final[tuple[Matched, ...]] = ("email", "phone", "record", "contact")
MOST: Final = 1_000
"""Members that are found so; in a list of more than these nobody finds one."""
_FEWEST_LETTERS: Final = 3
"""Of the longest word of a contact's name: shorter ones begin too many names."""
_FEWEST_DIGITS: Final = 6
"""Of a phone number."""

_EMAIL = """
    select member_id from source_records where not removed and (understood ->> 'email') like {0}
    union all
    select s.member_id from overrides o join source_records s using (cluster, record_id)
    where o.taken_back_at is null and o.field = 'email' and o.value like {0}
"""
_PHONE = """
    select member_id from source_records where not removed and (understood ->> 'phone') = any({0}::text[])
    union all
    select member_id from source_records where not removed and (understood ->> 'mobile') = any({0}::text[])
    union all
    select s.member_id from overrides o join source_records s using (cluster, record_id)
    where o.taken_back_at is null and o.field in ('phone', 'mobile') and o.value = any({0}::text[])
"""
# Records that were removed too: who has an old number wants to know where it went.
_RECORD = """
    select s.member_id from unnest({0}::text[], {1}::text[]) as n (cluster, record_id)
    join source_records s using (cluster, record_id)
    union all
    select s.member_id from unnest({0}::text[], {1}::text[]) as n (cluster, record_id)
    join source_records s on s.cluster = n.cluster and s.same_as = n.record_id and not s.removed
"""
_CONTACT = """
    select member_id from source_records where not removed and {0}
    union all
    select s.member_id from (
        select cluster, record_id, folded_words(string_agg(value, ' ' order by field)) as words from overrides
        where taken_back_at is null and field in ('contact_first_name', 'contact_last_name')
        group by cluster, record_id
    ) o join source_records s using (cluster, record_id)
    where {1}
"""
# By id, so that who reads on in a list has the same members on every page.
_FIRST = """
    select member_id::text, min(place) from ({0}) as found where member_id is not null
    group by member_id order by min(place), member_id limit {1}
"""


class _Search(NamedTuple):
    matched: Matched
    sql: str
    values: tuple[object, ...]


async def matches(rows: Rows, typed: str, clusters: Collection[str]) -> Mapping[str, Matched]:
    """The members that have what was typed, by id, and what it is of each: the first of ``email``, ``phone``, …

    ``clusters`` are those whose former ids are looked for. Of more than 1,000 members contacts' names lose first.
    """
    # The libraries that read numbers and addresses are loaded by the first who needs them; others must not wait.
    searches = await to_thread(lambda: list(_searches(typed.replace("\x00", " ").strip(), clusters)))
    if not searches:
        return {}
    values: list[object] = []
    parts: list[str] = []
    for search in searches:
        names = [f"${len(values) + number}" for number in range(1, len(search.values) + 1)]
        values += search.values
        place = _ORDER.index(search.matched)
        parts.append(f"select member_id, {place} as place from ({_filled(search.sql, names)}) as matched")
    result = await rows.fetch(_FIRST.format(" union all ".join(parts), f"${len(values) + 1}"), *values, MOST)
    return {member_id: _ORDER[place] for member_id, place in result}


def _searches(typed: str, clusters: Collection[str]) -> Iterator[_Search]:
    if not typed:
        return
    if "@" in typed and " " not in typed:
        email, _ = read_email(typed)
        yield _Search("email", _EMAIL, (literal(email) if email else f"{literal(typed.lower())}%",))
    elif numbers := _phones(typed):
        yield _Search("phone", _PHONE, (numbers,))
    records = [(cluster, typed) for cluster in sorted(clusters)]
    cluster, _, rest = typed.partition("/")
    if cluster in clusters and rest:
        records.append((cluster, rest))
    yield _Search("record", _RECORD, ([cluster for cluster, _ in records], [record_id for _, record_id in records]))
    words = plain_words(typed)
    if words and max(map(len, words)) >= _FEWEST_LETTERS and not any(word.isdecimal() for word in words):
        yield _Search("contact", _CONTACT, tuple(f"% {literal(word)}%" for word in words))


def _filled(sql: str, names: list[str]) -> str:
    if sql is not _CONTACT:
        return sql.format(*names)
    conditions = [
        " and ".join(f"{words} like {name}" for name in names) for words in ("contact_words(written)", "words")
    ]
    return sql.format(*conditions)


def _phones(typed: str) -> list[str]:
    """The number in E.164, as it is dialled in each region of the phone network that French départements are in."""
    if sum(character.isdecimal() for character in typed) < _FEWEST_DIGITS:
        return []
    return sorted({number for region in _regions() if (number := read_phone(typed, region))})


@cache
def _regions() -> frozenset[str]:
    return frozenset({"FR", *(place.phone_region for place in departements().values())})
