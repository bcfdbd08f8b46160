"""The consolidated view: a pure function of linked source records and of what the other services state about them.

What is owed, taken or allowed is decided by the service that announces it. Here the sections of a member's records are
only added up (:data:`SECTIONS`).

The same inputs give the same bytes, in whatever order they arrived: every list is sorted by what it contains, and
nothing in it depends on the clock. Whether somebody is paid up *today* is therefore asked of ``paid_until``, not kept.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b
from typing import Any

import orjson

from services.membership.identity.members import member_id_of
from services.membership.normalisation.company_names import fold, sort_key
from services.membership.records.record import Related, SourceRecord
from services.membership.views import survivorship
from services.membership.views.conflicts import Conflict, conflicts
from services.membership.views.consents import consents
from services.membership.views.dues import dues, paid_until
from services.membership.views.items import latest
from services.membership.views.mailings import mailings
from services.membership.views.overrides import Override
from services.membership.views.people import people, split
from services.membership.views.registrations import registrations
from services.membership.views.rules import SurvivorshipRules
from services.membership.views.search_terms import searched
from services.membership.views.unannounced import with_unannounced

Stated = Mapping[str, Sequence[Related]]
"""What other services state about the records of a member, by kind."""
SECTIONS: Mapping[str, Callable[[Sequence[SourceRecord], Stated], Any]] = {
    "dues": lambda _, stated: dues(stated["account"]),
    "registrations": lambda _, stated: registrations(stated["participation"]),
    "consents": lambda records, stated: consents(records, stated["preferences"]),
    "mailings": lambda _, stated: mailings(stated["mailing"]),
}
"""The sections of a view, in order, each with what adds it up over the records of a member."""
_SUMMARY = ("name", "brand", "siren", "city")


@dataclass(frozen=True, slots=True)
class View:
    """A consolidated view, ready to store: the document as UTF-8 JSON, and what lists and searches need of it."""

    member_id: str
    document: bytes
    etag: str
    summary: bytes
    sort_key: str
    search: str
    sirens: list[str]
    clusters: list[str]
    lineages: list[str]
    departement: str | None
    paid_until: str | None
    exempt: bool
    active: bool
    conflicts: list[Conflict]


def consolidate(
    records: Sequence[SourceRecord],
    related: Iterable[Related],
    overrides: Sequence[Override] = (),
    rules: SurvivorshipRules | None = None,
    *,
    since: date | None = None,
) -> View:
    """The view of one member. ``records`` are linked, in order of key; at least one of them was not removed.

    A removed record is not shown, and shows nothing any more, but what is owed, refused or registered under its id is:
    a duplicate that a former system tidied away must not take an objection with it (RGPD art. 21).

    ``overrides`` are those of its records, in any order; without ``rules`` those that are shipped apply.
    ``since`` is the day from which paying twice is a conflict.
    """
    group = [record for record in records if not record.removed]
    stated = with_unannounced(related)
    companies, persons = split(group)
    aside = {record.key for record in records if persons and record.written.get("works_for")}
    own_words = [record for record in records if record.key not in aside]
    memberships = [_membership(record) for record in group if record.key not in aside or record.written.get("status")]
    until = latest([*(m.get("paid_until") for m in memberships), paid_until(stated["account"])])
    fields = survivorship.survivors(companies, overrides, rules)
    lineages = sorted({m["lineage"] for m in memberships if m.get("lineage")})
    clusters = sorted({record.key.cluster for record in group})
    member_id = member_id_of(record.key for record in records)
    doubles = conflicts(group, _of(group, stated) if len(group) < len(records) else stated, since)
    removed = [str(record.key) for record in records if record.removed]
    document = {
        "id": member_id,
        "former_ids": sorted(record.key.own_id for record in records[1:]),
        "clusters": clusters,
        "lineages": lineages,
        **fields,
        "paid_until": until,
        "memberships": memberships,
        **{name: add_up(own_words, stated) for name, add_up in SECTIONS.items()},
        "conflicts": [double.as_json() for double in doubles],
        **({"people": people(persons)} if persons else {}),
        "sources": [_source(record) for record in group],
        **({"removed_sources": removed} if removed else {}),
    }
    encoded = orjson.dumps(document)
    search_terms, sirens_set = _set_manually(fields) if overrides else ((), frozenset())
    return View(
        member_id,
        encoded,
        blake2b(encoded, digest_size=16).hexdigest(),
        summary=orjson.dumps({name: fields[name]["value"] for name in _SUMMARY if name in fields}),
        sort_key=_sort_key(companies, fields),
        search=searched([*_search_texts(companies), *search_terms], _search_texts(persons)),
        sirens=sorted({record.siren for record in group if record.siren} | sirens_set),
        clusters=clusters,
        lineages=lineages,
        departement=(fields.get("departement") or {}).get("value"),
        paid_until=until,
        exempt=any(m.get("exempt") for m in memberships),
        active=any(_is_active(record) for record in group),
        conflicts=doubles,
    )


def _search_texts(records: Sequence[SourceRecord]) -> list[str]:
    return [str(record.understood.get("search_text", "")) for record in records]


def _of(group: Sequence[SourceRecord], related: Mapping[str, Sequence[Related]]) -> dict[str, list[Related]]:
    """What is held about these records."""
    keys = {record.key for record in group}
    return {kind: [item for item in items if item.key in keys] for kind, items in related.items()}


def _set_manually(fields: Mapping[str, Any]) -> tuple[list[str], set[str]]:
    """What searches must find of the values that staff set, without accents and case, and the SIREN among them."""
    set_manually = {name: fields[name]["value"] for name in _SUMMARY if "override" in fields.get(name, ())}
    return [fold(value) for value in set_manually.values()], {
        set_manually["siren"]
    } if "siren" in set_manually else set()


def _sort_key(group: Sequence[SourceRecord], fields: Mapping[str, Any]) -> str:
    """The shown name without accents and case, which a record holds already of its own name."""
    name = fields.get("name")
    if name is None or (len(group) == 1 and "override" not in name):
        return str(group[0].understood.get("sort_key", ""))
    return sort_key(name["value"])


_MEMBERSHIP = ("category", "status", "member_since", "paid_until", "exempt", "fee_band", "subscriptions")


def _is_active(record: SourceRecord) -> bool:
    """By what the record says of a membership. One that only names a company has no say; one that says no more than
    that there is a member is believed.
    """
    status = record.written.get("status")
    return record.written.get("is_member") is not False if status is None else status == "active"


def _membership(record: SourceRecord) -> dict[str, Any]:
    kept = {name: record.written[name] for name in _MEMBERSHIP if record.written.get(name)}
    lineage = record.understood.get("lineage")
    return {"from": str(record.key), "cluster": record.key.cluster, **({"lineage": lineage} if lineage else {}), **kept}


def _source(record: SourceRecord) -> dict[str, Any]:
    return {
        "from": str(record.key),
        "member_id": record.key.own_id,
        "written": {name: value for name, value in record.written.items() if name not in {"version", "subscriptions"}},
        "problems": record.understood.get("problems", []),
    }
