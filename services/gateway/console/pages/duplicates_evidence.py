"""What speaks for one company and what against it, and two records field by field: from the API, in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from services.gateway.console.catalogue import Words, typeset
from services.gateway.console.pages.member_fields import labels, written

PIPS: Final = (1.0, 2.0, 4.0)
"""Bits from which evidence has a second, a third and a fourth pip: two, four and sixteen to one."""
_NOTHING: Final = 0.05
"""Bits below which evidence says nothing."""

Verdict = Literal["same", "near", "differ", "one", "unknown"]
_SIGNS: Final[Mapping[str, str]] = {"same": "=", "near": "≈", "differ": "≠", "one": "", "unknown": "?"}


@dataclass(frozen=True, slots=True)
class Evidence:
    """One field's part. ``pips`` is 1 to 4; ``but`` is why it counts for the side on which it would not be sought."""

    field: str
    text: str
    pips: int
    strength: str
    but: str | None


@dataclass(frozen=True, slots=True)
class Row:
    """One field of two records: what each has written, and how alike the API holds that to be."""

    label: str
    verdict: Verdict
    sign: str
    words: str
    left: tuple[str, ...]
    right: tuple[str, ...]


def field_labels(words: Words) -> dict[str, str]:
    """What each field of recognition is called."""
    return {
        "declared": words.text("Ancien système"),
        "siren": words.text("SIREN"),
        "name": words.text("Nom"),
        "domain": words.text("Nom de domaine"),
        "email": words.text("Courriel"),
        "phone": words.text("Téléphone"),
        "street": words.text("Rue"),
        "place": words.text("Lieu"),
        "naf": words.text("Activité (NAF)"),
        "contact": words.text("Contact"),
        "form": words.text("Forme juridique"),
    }


def evidence_of(question: Mapping[str, Any], words: Words) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """What speaks for one company, and what against it, each the strongest first."""
    verdicts = {row["field"]: row["verdict"] for row in question["comparison"]}
    told = sorted(question["evidence"], key=lambda item: -abs(item["weight"]))
    for_it = (_evidence(item, verdicts, words) for item in told if item["weight"] >= _NOTHING)
    against = (_evidence(item, verdicts, words) for item in told if item["weight"] <= -_NOTHING)
    return tuple(for_it), tuple(against)


def _evidence(item: Mapping[str, Any], verdicts: Mapping[str, str | None], words: Words) -> Evidence:
    field: str = item["field"]
    pips = 1 + sum(abs(item["weight"]) >= bits for bits in PIPS)
    return Evidence(
        field=field_labels(words).get(field, field),
        text=typeset(item["words"], words.language),
        pips=pips,
        strength=_strength(pips, words),
        but=_but(item["weight"], verdicts.get(field), words),
    )


def _strength(pips: int, words: Words) -> str:
    match pips:
        case 1:
            return words.text("faible")
        case 2:
            return words.text("moyen")
        case 3:
            return words.text("fort")
        case _:
            return words.text("très fort")


def _but(weight: float, verdict: str | None, words: Words) -> str | None:
    """What is alike may speak against: so it is with many companies that are two. And the other way round."""
    if weight < 0 and verdict in ("same", "near"):
        return words.text("ce qui arrive plus souvent entre deux entreprises")
    if weight > 0 and verdict == "differ":
        return words.text("ce qui arrive souvent dans une même entreprise")
    return None


def rows_of(question: Mapping[str, Any], words: Words) -> tuple[Row, ...]:
    """The comparison, in the API's order."""
    return tuple(_row(item, words) for item in question["comparison"])


def _row(item: Mapping[str, Any], words: Words) -> Row:
    field: str = item["field"]
    verdict: Verdict = item["verdict"] or "unknown"
    return Row(
        label=field_labels(words).get(field, field),
        verdict=verdict,
        sign=_SIGNS[verdict],
        words=_verdict_words(verdict, words),
        left=_values(item["left"], words),
        right=_values(item["right"], words),
    )


def _verdict_words(verdict: Verdict, words: Words) -> str:
    match verdict:
        case "same":
            return words.text("identique")
        case "near":
            return words.text("proche")
        case "differ":
            return words.text("différent")
        case "one":
            return words.text("un seul")
        case "unknown":
            return words.text("incomparable")


def _values(side: Mapping[str, Any], words: Words) -> tuple[str, ...]:
    """What a record has written for a field; named where it is written in several."""
    if len(side) < 2:
        return tuple(written(name, value, words) for name, value in side.items())
    named = written_labels(words)
    return tuple(
        words.text("%(name)s : %(value)s", name=named.get(name, name), value=written(name, value, words))
        for name, value in side.items()
    )


def written_labels(words: Words) -> dict[str, str]:
    """What the written fields of a record are called."""
    return {
        **labels(words),
        "contact_first_name": words.text("Prénom"),
        "contact_last_name": words.text("Nom du contact"),
        "contact_role": words.text("Fonction"),
        "same_as": words.text("Identique à"),
    }


def strongest(told: Sequence[Evidence]) -> str:
    """A reason to begin with; empty where there is none."""
    return told[0].text if told else ""
