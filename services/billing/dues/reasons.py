"""Why an amount is what it is: a closed list of reasons, each with a sentence in French and in English."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Final, Literal, NamedTuple

Language = Literal["fr", "en"]

SENTENCES: Final[Mapping[str, tuple[str, str]]] = MappingProxyType(
    {
        "flat": ("{line} : {amount} € pour la période", "{line}: €{amount} for the period"),
        "band": (
            "{line} : {headcount} personnes, tranche {from}–{to}, {amount} € pour la période",
            "{line}: {headcount} people, band {from}–{to}, €{amount} for the period",
        ),
        "category": (
            "{line} : catégorie « {category} », {amount} € pour la période",
            "{line}: category “{category}”, €{amount} for the period",
        ),
        "headcount-unknown": (
            "effectif inconnu : demandez-le au membre ; facturé {amount} € en attendant",
            "headcount unknown: ask the member; billed €{amount} meanwhile",
        ),
        "headcount-unread": (
            "effectif qui n'est pas un nombre, ou à cheval sur deux tranches ; facturé {amount} € en attendant",
            "headcount that is no number, or lies in two bands; billed €{amount} meanwhile",
        ),
        "category-unknown": (
            "catégorie « {category} » absente de la grille : rien n'est facturé",
            "category “{category}” is not in the grid: nothing is billed",
        ),
        "joined": ("membre depuis le {day}", "a member since {day}"),
        "ahead": (
            "adhésion le {day}, peu avant la période : la période précédente n'est pas due",
            "joined on {day}, shortly before the period: the period before is not owed",
        ),
        "ended": ("adhésion terminée le {day}", "membership ended on {day}"),
        "covered": (
            "du {first} au {last} : déjà facturé ou payé ({source})",
            "{first} to {last}: billed or paid before ({source})",
        ),
        "covered-by": (
            "du {first} au {last} : compris dans ce que doit la fiche {source}",
            "{first} to {last}: part of what record {source} owes",
        ),
        "exempt": ("exonéré : {source}", "exempt: {source}"),
        "remit": ("remise de {amount} € : {source}", "€{amount} remitted: {source}"),
        "credit": ("avoir de {amount} € imputé : {source}", "€{amount} credited: {source}"),
        "frozen": (
            "prix fixé lors de la première facturation de la période",
            "priced when the period was first billed",
        ),
        "no-member": ("n'est plus membre pour cette période", "is no member for this period any more"),
        "parts": ("{count}/{of} de la période", "{count}/{of} of the period"),
    }
)
"""What each reason says; the words in braces are the reason's details."""

_TO_MEMBER: Final[Mapping[str, str]] = MappingProxyType(
    {
        "headcount-unknown": "effectif inconnu : {amount} € en attendant que vous nous l'indiquiez",
        "headcount-unread": "effectif à préciser : {amount} € en attendant que vous nous l'indiquiez",
        "covered-by": "du {first} au {last} : déjà compris dans la cotisation de votre autre fiche, {source}",
        "no-member": "vous n'êtes plus membre pour cette période",
        "remit": "remise de {amount} € ({source})",
    }
)
"""What a member reads where staff read something else."""
_UNSAID: Final[Mapping[str, str]] = MappingProxyType({"amount": "0.00", "source": "", "category": "", "to": ""})


class Reason(NamedTuple):
    """``code`` is a key of :data:`SENTENCES`."""

    code: str
    details: Mapping[str, str] = MappingProxyType({})

    def sentence(self, language: Language = "fr") -> str:
        """The reason in words. A detail that is missing is left empty."""
        french, english = SENTENCES[self.code]
        return self._filled(french, decimal=",") if language == "fr" else self._filled(english, decimal=".")

    @property
    def to_member(self) -> str:
        """The reason as its member reads it."""
        return self._filled(_TO_MEMBER.get(self.code, SENTENCES[self.code][0]), decimal=",")

    def _filled(self, words: str, *, decimal: str) -> str:
        known = {**_UNSAID, **self.details}
        known["amount"] = known["amount"].replace(".", decimal)
        return words.format_map(known)


def sentences(reasons: Iterable[Reason], language: Language = "fr") -> str:
    """All reasons in one line."""
    return " ; ".join(reason.sentence(language) for reason in reasons)
