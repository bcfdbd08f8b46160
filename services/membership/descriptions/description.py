"""One source record as billing must know it: a pure function of the record and of its member's consolidated view."""

from collections.abc import Mapping, Sequence
from typing import Any

from schemas.membership import Addressee, MemberDescribed
from services.membership.records.record import SourceRecord

_COPIED = (
    "is_member",
    "category",
    "fee_band",
    "headcount",
    "status",
    "member_since",
    "ended_on",
    "paid_until",
    "exempt",
)
_WRITTEN = tuple(Addressee.model_fields)


def description_of(record: SourceRecord, view: Mapping[str, Any] | None) -> MemberDescribed:
    """The description under version 0. ``view`` is the member's document, None where no record of it is left."""
    shown = view or {}
    headcount: Mapping[str, Any] = shown.get("headcount") or {}
    return MemberDescribed(
        version=0,
        cluster=record.key.cluster,
        record_id=record.key.record_id,
        member_id=record.member_id,
        removed=record.removed,
        own=_addressee({name: _own(record, name) for name in _WRITTEN}),
        shown=_addressee({name: _shown(shown, name) for name in _WRITTEN}),
        lineage=record.understood.get("lineage"),
        headcount_shown=headcount.get("value"),
        headcount_said_by=_sources(headcount),
        terms=_terms(record.written.get("subscriptions", ())),
        **{name: record.written[name] for name in _COPIED if record.written.get(name) is not None},
    )


def _own(record: SourceRecord, name: str) -> str | None:
    """As understood, else as written."""
    return record.understood.get(name) or record.written.get(name)


def _shown(view: Mapping[str, Any], name: str) -> str | None:
    return (view.get(name) or {}).get("value")


def _addressee(values: Mapping[str, str | None]) -> Addressee | None:
    """None without a name: the record never spoke, or only its removal was heard of."""
    return Addressee.model_validate(values) if values["name"] else None


def _sources(field: Mapping[str, Any]) -> tuple[str, ...]:
    """The records that say so; staff's own word names the record that it hangs on."""
    if override := field.get("override"):
        return (override["on"],)
    return tuple(field.get("said_by", ()))


def _terms(terms: Sequence[Mapping[str, Any]]) -> tuple[Any, ...]:
    """In the order of their days: an export may list them in any."""
    return tuple(sorted(terms, key=lambda term: (term["starts_on"], term["subscription_id"])))
