"""The form about one source record: its fields, what was typed, and both versions where somebody else was quicker."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from services.gateway.console.catalogue import Words
from services.gateway.console.forms import Typed
from services.gateway.console.pages.duplicates_evidence import written_labels

SEEN: Final = "_seen_"
"""Begins the hidden fields that have what stood there when the form was drawn: only what differs is changed."""
DAYS: Final = ("member_since", "paid_until")
_LEFT_OUT: Final = ("contact", "departement", "same_as", "headcount")


@dataclass(frozen=True, slots=True)
class Field:
    """One field of the form. ``theirs`` is there when somebody else wrote another value meanwhile."""

    name: str
    label: str
    value: str
    seen: str
    is_day: bool
    theirs: str | None = None


def labels(words: Words) -> dict[str, str]:
    """The fields that a form has, in order, and what each is called."""
    return {
        **{name: label for name, label in written_labels(words).items() if name not in _LEFT_OUT},
        "headcount": words.text("Effectif"),
        "category": words.text("Catégorie"),
        "member_since": words.text("Membre depuis"),
        "paid_until": words.text("Cotisation payée jusqu’au"),
    }


def form_fields(written: Mapping[str, Any], form: Typed, words: Words) -> tuple[Field, ...]:
    """The form as it is drawn: what is written now, or what was typed where it was sent."""
    return tuple(
        Field(name, label, form.value(name, _text(written, name)), _text(written, name), name in DAYS)
        for name, label in labels(words).items()
    )


def changed(fields: Mapping[str, str], words: Words) -> dict[str, str | None]:
    """What was typed and is another than when the form was drawn; what was emptied is removed."""
    return {
        name: fields[name].strip() or None
        for name in labels(words)
        if name in fields and fields[name].strip() != fields.get(f"{SEEN}{name}", "").strip()
    }


def both_versions(written: Mapping[str, Any], fields: Mapping[str, str], words: Words) -> tuple[Field, ...]:
    """The fields that were changed here, with what stands there now; and those that only somebody else changed."""
    mine = changed(fields, words)
    shown: list[Field] = []
    for name, label in labels(words).items():
        now, seen = _text(written, name), fields.get(f"{SEEN}{name}", "")
        if name in mine or now != seen:
            own = (mine[name] or "") if name in mine else now
            shown.append(Field(name, label, own, now, name in DAYS, now))
    return tuple(shown)


def as_typed(values: Mapping[str, Any], seen: Mapping[str, Any]) -> dict[str, str]:
    """The form as if somebody had typed these values where ``seen`` stood."""
    return {name: _text(values, name) for name in values} | {f"{SEEN}{name}": _text(seen, name) for name in values}


def created(fields: Mapping[str, str], words: Words) -> dict[str, str]:
    """The fields of a new record that were filled."""
    return {name: fields[name].strip() for name in labels(words) if fields.get(name, "").strip()}


def _text(written: Mapping[str, Any], name: str) -> str:
    value = written.get(name)
    return "" if value is None else str(value)
