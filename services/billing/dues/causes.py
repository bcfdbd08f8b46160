"""What changed since a period was billed: a closed list of causes, each with a sentence in French and in English."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final, Literal

from services.billing.dues.differences import Proposal
from services.billing.dues.reasons import Language, Reason

Cause = Literal["merge", "separation", "resignation", "cover", "decision", "joined", "other"]
SENTENCES: Final[Mapping[Cause, tuple[str, str]]] = MappingProxyType(
    {
        "merge": (
            "{record} et {other} sont un seul membre, qui doit une seule cotisation : {amount} € à créditer",
            "{record} and {other} are one member, which owes dues once: {amount} € to credit",
        ),
        "separation": (
            "{record} est de nouveau un membre à part, et doit sa propre cotisation : {amount} € à facturer",
            "{record} is a member of its own again, and owes its own dues: {amount} € to bill",
        ),
        "resignation": (
            "{record} n'est plus membre : {amount} € à créditer d'après les statuts ou une décision",
            "{record} is no member any more: {amount} € to credit by the statutes or a decision",
        ),
        "cover": (
            "{record} a été facturé ou a payé ailleurs pour ces jours ({other}) : {amount} € à créditer",
            "{record} was billed or paid elsewhere for these days ({other}): {amount} € to credit",
        ),
        "decision": (
            "une décision change ce que doit {record} ({other}) : {amount} € de différence",
            "a decision changes what {record} owes ({other}): a difference of {amount} €",
        ),
        "joined": (
            "{record} a rejoint l'association après l'appel de la période : {amount} € à facturer",
            "{record} joined after the period was billed: {amount} € to bill",
        ),
        "other": (
            "ce que doit {record} a changé : {amount} € de différence",
            "what {record} owes has changed: a difference of {amount} €",
        ),
    }
)
"""What each cause says; the words in braces are filled in by :func:`sentence`."""
_BY_REASON: Final[Mapping[str, Cause]] = MappingProxyType(
    {
        "exempt": "decision",
        "remit": "decision",
        "credit": "decision",
        "covered-by": "merge",
        "covered": "cover",
        "no-member": "resignation",
        "ended": "resignation",
    }
)
"""The first of these among the reasons of a credit is its cause, in this order."""


def cause_of(proposal: Proposal, *, billed_before: bool, alone: bool) -> tuple[Cause, str]:
    """Why the difference is there, and what it is about: another record, a source, or the words of a decision.

    ``billed_before``: documents billed this record for this period. ``alone``: its member has no other record.
    """
    if proposal.kind == "invoice":
        if decided := _first(proposal.reasons, ("remit", "credit")):
            return "decision", decided.details.get("source", "")
        if not billed_before:
            return "joined", ""
        return ("separation" if alone else "other"), ""
    for code, cause in _BY_REASON.items():
        if reason := _first(proposal.reasons, (code,)):
            return cause, reason.details.get("source", "")
    return "other", ""


def _first(reasons: Sequence[Reason], codes: Sequence[str]) -> Reason | None:
    return next((reason for reason in reasons if reason.code in codes), None)


def sentence(cause: Cause, record: str, other: str, amount: str, language: Language = "fr") -> str:
    """The cause in one sentence. ``amount`` is written as 320.00."""
    french, english = SENTENCES[cause]
    if language == "fr":
        return french.format(record=record, other=other, amount=amount.replace(".", ","))
    return english.format(record=record, other=other, amount=amount)
