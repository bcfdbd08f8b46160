"""What staff set by hand for one field of a member: believed before every record, until it is taken back."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, NamedTuple

from schemas.membership import MemberRecorded
from services.membership.normalisation.data_quality import MEANINGS
from services.membership.normalisation.normalise import Understood, understand
from services.membership.records.record import RecordKey
from services.membership.views.rules import CONTACT, DERIVED, FIELDS

OVERRIDABLE = (*(name for name in FIELDS if name != DERIVED), *CONTACT)
"""The fields that staff may set; the parts of a contact one by one."""

LONGEST = 1_000
"""Characters of a value, as many as a former system may write."""

REFUSALS: Mapping[str, str] = MappingProxyType(
    {
        "field-not-overridable": "not a field that can be set by hand",
        "value-empty": "no value; take the override back to show what the records say",
        "value-too-long": f"longer than {LONGEST:,} characters",
        "value-not-text": "holds a character that is no text (U+0000, or half of one)",
    }
)
"""Codes of an :class:`OverrideError` beside those of :data:`data_quality.MEANINGS`, and their meaning for a person."""

# As a record's value is understood: its name here, and in Understood. The other fields are shown as they are written.
_UNDERSTOOD = {
    name: name for name in ("siren", "siret", "vat", "naf", "email", "phone", "mobile", "postcode", "country")
}
_UNDERSTOOD["website"] = "domain"
_CONTEXT = ("country", "postcode")


@dataclass(frozen=True, slots=True)
class Override:
    """One value set by hand.

    It hangs on a source record, not on a member: when members are merged it goes with its record, and back with it
    when they are separated. The larger ``order`` is the newer; ``author`` is whoever set it, in staff's own words.

    An override of ``siren`` changes what is shown and found, not which records are held to be one company: that is
    told by the records and by staff's decisions on pairs alone.
    """

    record: RecordKey
    field: str
    value: str
    author: str
    at: datetime
    order: int

    def as_json(self) -> dict[str, str]:
        """As a view tells of it: ``{"at": "2026-11-23T09:30:00Z", "on": "numelink/B-1"}``.

        Views are for readers too, so they do not name whoever of the staff set it: the history does.
        """
        at = self.at.astimezone(UTC).isoformat().replace("+00:00", "Z")
        return {"at": at, "on": str(self.record)}


class OverrideError(ValueError):
    """A value that cannot be set; ``code`` is a key of :data:`REFUSALS` or of :data:`data_quality.MEANINGS`."""

    def __init__(self, field: str, code: str) -> None:
        super().__init__(f"{field}: {REFUSALS.get(code) or MEANINGS[code]}")
        self.field = field
        self.code = code

    @property
    def meaning(self) -> str:
        """The code in words."""
        return REFUSALS.get(self.code) or MEANINGS[self.code]


class Understanding(NamedTuple):
    """What a value set by hand comes to.

    ``text`` is what to keep, in one form (``+33472000000``), which understood once more means the same; ``value`` is
    what the view shows (an object for ``naf``, text for all others); ``departement`` is a postcode's.
    """

    text: str
    value: Any
    departement: str | None = None


def understand_override(field: str, value: str, shown: Mapping[str, Any] = MappingProxyType({})) -> Understanding:
    """What a value set by hand means, as a record's own would be understood. Raises OverrideError.

    ``shown`` is the member's view, or its fields: a postcode is read by the country that is shown, a phone number
    written without its country by country and postcode.
    """
    text = _checked(field, value.strip())
    if field not in _UNDERSTOOD:
        return Understanding(text, text)
    understood = _understand(field, text, shown)
    normal = getattr(understood, _UNDERSTOOD[field])
    if normal is None:
        raise OverrideError(field, next(problem.code for problem in understood.problems if problem.field == field))
    if field == "naf":
        return Understanding(normal, {"code": normal, "nomenclature": understood.naf_nomenclature})
    return Understanding(normal, normal, understood.departement if field == "postcode" else None)


def _checked(field: str, text: str) -> str:
    if field not in OVERRIDABLE:
        raise OverrideError(field, "field-not-overridable")
    if not text:
        raise OverrideError(field, "value-empty")
    if len(text) > LONGEST:
        raise OverrideError(field, "value-too-long")
    if "\x00" in text or not _is_unicode(text):
        raise OverrideError(field, "value-not-text")
    return text


def _is_unicode(text: str) -> bool:
    # JSON can carry half of a surrogate pair, which neither PostgreSQL nor our own JSON can.
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _understand(field: str, text: str, shown: Mapping[str, Any]) -> Understood:
    context = {name: str(shown[name]["value"]) for name in _CONTEXT if name in shown}
    return understand(
        MemberRecorded.model_validate({"version": 0, "record_id": "-", "name": "-", **context, field: text})
    )
