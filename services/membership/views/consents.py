"""What a member agreed to: the preferences of its records, added up.

Communications decides which decision of a record is in force. Of several records the most restrictive wins
(RGPD art. 7(3) and 21): a single refusal forbids. What is refused for every purpose (``*``), by a consent or by an
opt-out of the record itself, is refused for each.

What keeps mail from a record (``suppressed``) is shown with its reason. An objection that was made here forbids like a
refusal; one of a former system does by its consent, and an address that does not exist refuses nothing.
"""

from collections.abc import Sequence
from typing import Any

from services.membership.records.record import Related, SourceRecord
from services.membership.views.items import Line, in_order, lines, when

OBJECTIONS = ("objection", "complaint")
COVERS = {"email": ("bulk-email",)}
"""Who wants no e-mail at all wants no newsletter either."""

_Verdicts = dict[tuple[str, str], dict[str, Any]]


def consents(records: Sequence[SourceRecord], preferences: Sequence[Related]) -> dict[str, Any]:
    """The section of the view: what was decided, and what it comes to."""
    verdicts: _Verdicts = {}
    for section in sorted(preferences, key=lambda section: str(section.key)):
        for own in section.document.get("in_force", ()):
            because_of = f"{own.get('known_in') or section.key}#{own['consent_id']}"
            _judge(verdicts, own["channel"], own["purpose"], because_of, allowed=own["allowed"])
    for record in records:
        for channel in record.written.get("opt_outs", ()):
            for covered in (channel, *COVERS.get(channel, ())):
                _judge(verdicts, covered, "*", str(record.key), allowed=False)
    suppressed = lines(preferences, "suppressed")
    for key, item in sorted(suppressed, key=lambda line: str(line[0])):
        if item["reason"] in OBJECTIONS and item["source"] != "former-system":
            for channel in ("email", "bulk-email") if item["covers"] == "everything" else ("bulk-email",):
                _judge(verdicts, channel, item["purpose"], f"{key}#suppressed", allowed=False)
    for (channel, _), verdict in verdicts.items():
        general = verdicts.get((channel, "*"))
        if general is not None and not general["allowed"] and verdict["allowed"]:
            verdict |= {"allowed": False, "because_of": general["because_of"]}
    decisions = in_order(lines(preferences, "decisions"), "decided_at", "consent_id")
    return {
        "in_force": [verdicts[key] for key in sorted(verdicts)],
        "decisions": [{"from": str(key), **decision} for key, decision in decisions],
        **({"suppressed": _shown(suppressed)} if suppressed else {}),
    }


def _shown(suppressed: Sequence[Line]) -> list[dict[str, Any]]:
    undated = "2000-01-01T00:00:00Z"
    ordered = sorted(
        suppressed, key=lambda line: (when(line[1].get("since", undated)), line[0], sorted(line[1].items()))
    )
    return [{"from": str(key), **item} for key, item in ordered]


def _judge(verdicts: _Verdicts, channel: str, purpose: str, because_of: str, *, allowed: bool) -> None:
    known = verdicts.get((channel, purpose))
    if known is None or (known["allowed"] and not allowed):
        verdicts[channel, purpose] = {
            "channel": channel,
            "purpose": purpose,
            "allowed": allowed,
            "because_of": because_of,
        }
