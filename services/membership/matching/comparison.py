"""Two records side by side, field by field, judged by the levels that recognition gave them and by nothing else."""

from collections.abc import Mapping
from typing import Any, Final, Literal

from services.membership.matching.explanations import LEVELS
from services.membership.matching.levels import FIELDS, Levels
from services.membership.translations import Language

Verdict = Literal["same", "near", "differ", "one"]

COMPARED: Final[Mapping[str, tuple[str, ...]]] = {
    "name": ("name", "brand"),
    "siren": ("siren", "siret", "vat"),
    "domain": ("website", "email"),
    "email": ("email",),
    "phone": ("phone", "mobile"),
    "street": ("street",),
    "place": ("postcode", "city", "country"),
    "naf": ("naf",),
    "contact": ("contact_first_name", "contact_last_name"),
    "form": ("legal_form",),
    "declared": ("same_as",),
}
"""Of each field of recognition the written ones that it goes by, in the order in which staff compare."""

_VERDICTS: Final[Mapping[str, Mapping[str, Verdict]]] = {
    "declared": {"same": "same", "people": "near"},
    "siren": {"equal": "same", "slip": "near", "unlike": "differ", "different": "differ"},
    "name": {
        **dict.fromkeys(("exact", "exact-common"), "same"),
        **dict.fromkeys(("fuzzy", "brand", "located", "extended", "acronym", "abbreviation", "near"), "near"),
        **dict.fromkeys(("subset-rare", "subset-common", "partial-rare", "partial"), "near"),
        "none": "differ",
    },
    "domain": {"equal": "same", "shared": "same", "different": "differ"},
    "email": {"equal": "same", "role": "same", "shared": "same", "different": "differ"},
    "phone": {"equal": "same", "shared": "same", "different": "differ"},
    "street": {
        **dict.fromkeys(("equal", "shared"), "same"),
        **dict.fromkeys(("no-number", "other-number"), "near"),
        "different": "differ",
    },
    "place": {
        "postcode": "same",
        **dict.fromkeys(("town", "departement"), "near"),
        **dict.fromkeys(("other-town", "branch", "far", "elsewhere"), "differ"),
    },
    "naf": {"equal": "same", "division": "near", "different": "differ"},
    "contact": {"equal": "same", "different": "differ"},
    "form": {"associations": "same", "one-association": "one", "different": "differ"},
}
_NO_WORDS: Final[Mapping[str, str]] = {}


def comparison(
    levels: Levels, left: Mapping[str, Any], right: Mapping[str, Any], language: Language
) -> list[dict[str, Any]]:
    """Row by row: ``field``, ``verdict``, ``level`` and ``words`` of the evidence, and what ``left`` and ``right`` say.

    A row that is empty on both sides is left out. ``verdict`` is null where both have a value that recognition
    could not compare: numbers that are none, say.
    """
    known = dict(zip(FIELDS, levels, strict=True))
    rows = (_row(field, known[field], left, right, language) for field in COMPARED)
    return [row for row in rows if row is not None]


def _row(
    field: str, level: str | None, left: Mapping[str, Any], right: Mapping[str, Any], language: Language
) -> dict[str, Any] | None:
    ours, theirs = _written(field, left), _written(field, right)
    if level is None and not ours and not theirs:
        return None
    return {
        "field": field,
        "verdict": _verdict(field, level, bool(ours), bool(theirs)),
        "level": level,
        "words": None if level is None else LEVELS[field].get(level, _NO_WORDS).get(language, level),
        "left": ours,
        "right": theirs,
    }


def _verdict(field: str, level: str | None, ours: bool, theirs: bool) -> Verdict | None:
    if level is not None:
        return _VERDICTS[field].get(level)
    return "one" if ours != theirs else None


def _written(field: str, record: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name in COMPARED[field] if (value := record.get(name))}
