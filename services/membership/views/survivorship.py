"""Which of several written values a member is shown with, who said what and when.

What staff set by hand comes first, then what the rules of the field decide (see :mod:`rules`), then the order of keys.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any, NamedTuple

import orjson

from services.membership.records.record import RecordKey, SourceRecord
from services.membership.views.overrides import Override, OverrideError, Understanding, understand_override
from services.membership.views.rules import CONTACT, DERIVED, FIELDS, FieldRules, Rule, SurvivorshipRules, shipped_rules

BY_OVERRIDE = "override"
BY_ORDER = "record-order"
"""What a view gives as the reason beside the rules' own names: staff's word, and the last tie."""

_ORDER = (*FIELDS, "contact")
_PARTS = tuple((name, name.removeprefix("contact_")) for name in CONTACT)


def survivors(
    records: Sequence[SourceRecord], overrides: Sequence[Override] = (), rules: SurvivorshipRules | None = None
) -> dict[str, Any]:
    """For each field that anybody filled: its value, who says so and when, why, and what the others say.

    The order of ``records`` and of ``overrides`` does not matter; without ``rules`` those that are shipped apply.
    Shape of each, where ``said_on`` holds the records that have a date, ``because`` (a rule, ``record-order`` or
    ``override``) is there when there was a choice, and ``override`` when staff set the value::

        {"value": "69003", "said_by": ["numelink/B-1"], "said_on": {"numelink/B-1": "2026-01-05"},
         "because": "override", "override": {"at": "2026-11-23T09:30:00Z", "on": "numelink/B-1"},
         "others": [{"value": "69300", "said_by": ["…"], "said_on": {"…": "2025-03-01"}}]}

    ``contact`` has in its override the ``fields`` that were set: the other parts are the shown record's.
    """
    if len(records) == 1 and not overrides:
        return _alone(records[0])
    rules = rules or shipped_rules()
    answer = _collect(records)
    fields = {name: _judge(values, rules.of(name)) for name, values in answer.items() if name != DERIVED}
    if DERIVED in answer:
        _follow_postcode(fields, answer[DERIVED])
    if overrides:
        _lay_over(fields, overrides)
    return {name: _shown(*fields[name]) for name in _ORDER if name in fields}


# --- who says what -------------------------------------------------------------------------------------------------


class _Speaker(NamedTuple):
    """A record as one who says something; ``day`` is that of its last change, or "" if unknown.

    ``sources`` are what it may be called in a list of trust, ``alone`` what a view tells of a value that only it says.
    """

    key: RecordKey
    name: str
    day: str
    sources: tuple[str, str]
    alone: Mapping[str, Any]


@dataclass(slots=True)
class _Value:
    """One value, and those who say it: last changed first, then in order of key."""

    value: Any
    sound: bool
    said_by: list[_Speaker]
    override: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        shown = {"value": self.value, **(self.said_by[0].alone if len(self.said_by) == 1 else _together(self.said_by))}
        return shown if self.override is None else {**shown, "override": self.override}


_Judged = tuple[list[_Value], str]
"""All that is said of one field, what is shown first, and why that is."""


def _alone(record: SourceRecord) -> dict[str, Any]:
    """The fields of the only record there is: most members, so no rule is asked and nothing compared."""
    document = _speaker(record).alone
    return {name: {"value": value, **document} for name, value, _ in _claims(record)}


def _collect(records: Sequence[SourceRecord]) -> dict[str, list[_Value]]:
    """Every field's values, each once."""
    answer: dict[str, dict[object, _Value]] = {}
    in_order = sorted(records, key=lambda item: item.key)
    for record in sorted(in_order, key=_day, reverse=True):
        speaker = _speaker(record)
        for name, value, sound in _claims(record):
            same = answer.setdefault(name, {}).setdefault(_hashable(value), _Value(value, False, []))
            same.said_by.append(speaker)
            same.sound |= sound
    return {name: list(values.values()) for name, values in answer.items()}


def _hashable(value: Any) -> object:
    """Equal for equal values: a contact and a NAF code are objects, and a thousand records may have as many."""
    return value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _speaker(record: SourceRecord) -> _Speaker:
    name, day, cluster = str(record.key), _day(record), record.key.cluster
    document: dict[str, Any] = {"said_by": [name], "said_on": {name: day}} if day else {"said_by": [name]}
    return _Speaker(record.key, name, day, (cluster, f"{cluster}/{record.understood.get('lineage')}"), document)


def _together(speakers: Sequence[_Speaker]) -> dict[str, Any]:
    said_by, said_on = (
        [speaker.name for speaker in speakers],
        {speaker.name: speaker.day for speaker in speakers if speaker.day},
    )
    return {"said_by": said_by, "said_on": said_on} if said_on else {"said_by": said_by}


def _claims(record: SourceRecord) -> Iterable[tuple[str, Any, bool]]:
    """What one record says: field, value as understood, else as written, and whether it was understood."""
    understood, written = record.understood, record.written
    doubtful = understood.get("problem_fields", ())
    for name in FIELDS:
        value = understood.get(name)
        if value is None:
            value = written.get(name)
            if value:
                yield name, value, name not in doubtful
        elif name == "naf":
            yield name, {"code": value, "nomenclature": understood.get("naf_nomenclature")}, True
        else:
            yield name, value, True
    contact = {part: written[name] for name, part in _PARTS if written.get(name)}
    if contact:
        yield "contact", contact, True


def _day(record: SourceRecord) -> str:
    return record.written.get("modified_on") or record.written.get("created_on") or ""


# --- what the rules decide -----------------------------------------------------------------------------------------


def _trusted(value: _Value, trust: Sequence[str]) -> int:
    return -min(
        (trust.index(source) for speaker in value.said_by for source in speaker.sources if source in trust),
        default=len(trust),
    )


def _length(value: _Value, _: Sequence[str]) -> int:
    # A contact's parts count together; of a NAF code and its nomenclature, both.
    values = value.value.values() if isinstance(value.value, dict) else (value.value,)
    return sum(len(text) for text in values if text)


_MERITS: Mapping[Rule, Callable[[_Value, Sequence[str]], Any]] = {
    "understood": lambda value, _: value.sound,
    "most-recent": lambda value, _: value.said_by[0].day,
    "most-trusted": _trusted,
    "most-said": lambda value, _: len(value.said_by),
    "longest": _length,
}
"""What each rule goes by; the larger wins."""


def _judge(values: list[_Value], by: FieldRules) -> _Judged:
    if len(values) == 1:
        return values, BY_ORDER
    in_order = sorted(values, key=lambda value: value.said_by[0].key)
    merits = [([_MERITS[rule](value, by.trust) for rule in by.rules], value) for value in in_order]
    # Stable, also in reverse: where no rule decides, the order of keys stays.
    merits.sort(key=_merit, reverse=True)
    # A rule is asked only about those that the rules before it left. So the one that decided is the first by which the
    # winner differs from the second, which stayed beside it the longest.
    (first, _), (second, _), *_ = merits
    deciding = (rule for rule, item, other in zip(by.rules, first, second, strict=True) if item != other)
    return [value for _, value in merits], next(deciding, BY_ORDER)


def _merit(judged: tuple[list[Any], _Value]) -> list[Any]:
    return judged[0]


def _follow_postcode(fields: dict[str, _Judged], answer: list[_Value]) -> None:
    """The département of the postcode that is shown; none if that one has none, as a foreign one."""
    if "postcode" not in fields:
        fields[DERIVED] = answer, BY_ORDER
        return
    (shown, *_), because = fields["postcode"]
    its_own = [value for value in answer if any(speaker in shown.said_by for speaker in value.said_by)]
    if its_own:
        fields[DERIVED] = [*its_own, *(value for value in answer if value not in its_own)], because


def _shown(values: list[_Value], because: str) -> dict[str, Any]:
    first, *others = values
    shown = first.as_json()
    if others or first.override is not None:
        shown["because"] = because
    if others:
        shown["others"] = [other.as_json() for other in others]
    return shown


# --- what staff set ------------------------------------------------------------------------------------------------

_CONTEXT_FIRST = ("country", "postcode")
"""By these the others are understood."""


def _lay_over(fields: dict[str, _Judged], overrides: Sequence[Override]) -> None:
    """Put what staff set in front, the newest first of all."""
    oldest_first = sorted(overrides, key=lambda override: (override.order, override.record, override.value))
    contact = [override for override in oldest_first if override.field in CONTACT]
    plain = sorted((override for override in oldest_first if override.field not in CONTACT), key=_when_understood)
    for field, of_field in groupby(plain, key=lambda override: override.field):
        meanings = [(override, _meaning(override, fields)) for override in of_field]
        for override, meaning in meanings:
            _put_first(fields, field, meaning.value, override.as_json())
        if field == "postcode":
            _lay_over_departement(fields, meanings)
    if contact:
        _lay_over_contact(fields, contact)


def _when_understood(override: Override) -> tuple[int, str]:
    first = override.field in _CONTEXT_FIRST
    return _CONTEXT_FIRST.index(override.field) if first else len(_CONTEXT_FIRST), override.field


def _meaning(override: Override, fields: Mapping[str, _Judged]) -> Understanding:
    context = {name: {"value": fields[name][0][0].value} for name in _CONTEXT_FIRST if name in fields}
    try:
        return understand_override(override.field, override.value, context)
    except OverrideError:
        # It was understood when it was set, by another country perhaps. Staff's word is shown all the same.
        return Understanding(override.value, override.value)


def _lay_over_departement(fields: dict[str, _Judged], postcodes: Sequence[tuple[Override, Understanding]]) -> None:
    for override, meaning in postcodes:
        if meaning.departement:
            _put_first(fields, DERIVED, meaning.departement, override.as_json())
    if postcodes[-1][1].departement is None:
        fields.pop(DERIVED, None)


def _lay_over_contact(fields: dict[str, _Judged], overrides: Sequence[Override]) -> None:
    """The parts that staff set, within the contact that would be shown without them."""
    newest = {override.field: override for override in overrides}
    values = fields["contact"][0] if "contact" in fields else []
    parts = dict(values[0].value) if values else {}
    parts |= {name.removeprefix("contact_"): newest[name].value for name in CONTACT if name in newest}
    for override in overrides:
        if newest[override.field] is not override:
            part = {override.field.removeprefix("contact_"): override.value}
            _put_first(fields, "contact", part, {**override.as_json(), "fields": [override.field]})
    whole = {part: parts[part] for _, part in _PARTS if part in parts}
    overlay = {**overrides[-1].as_json(), "fields": [name for name in CONTACT if name in newest]}
    _put_first(fields, "contact", whole, overlay)


def _put_first(fields: dict[str, _Judged], field: str, value: Any, override: Mapping[str, Any]) -> None:
    values, _ = fields.get(field, ([], ""))
    same = next((item for item in values if item.value == value), None) or _Value(value, True, [])
    others = [item for item in values if item is not same]
    fields[field] = [_Value(value, True, same.said_by, override), *others], BY_OVERRIDE
