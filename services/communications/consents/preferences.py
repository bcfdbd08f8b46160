"""Which decisions of a source record are in force: the rules (RGPD art. 7(3) and 21)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Final

from schemas.communications import ConsentDecision, ConsentStatus, Preference, PreferencesChanged

RESTRICTIONS: Final[frozenset[ConsentStatus]] = frozenset({"refused", "withdrawn"})


def preferences_of(cluster: str, record_id: str, consents: Iterable[ConsentDecision]) -> PreferencesChanged:
    """What one source record decided, whole, under version 0; the order of the consents does not matter."""
    decisions = sorted(consents, key=_when_decided)
    return PreferencesChanged(
        version=0,
        cluster=cluster,
        record_id=record_id,
        in_force=tuple(_in_force(decisions)),
        decisions=tuple(sorted(decisions, key=lambda decision: (decision.decided_at, decision.consent_id))),
    )


def _in_force(decisions: Sequence[ConsentDecision]) -> list[Preference]:
    """Of each brand the last decision on a channel and purpose counts; between brands a single refusal forbids."""
    last = {(item.brand or "", item.channel, item.purpose): item for item in decisions}
    preferences: dict[tuple[str, str], Preference] = {}
    for _, decision in sorted(last.items(), key=lambda item: item[0]):
        name = decision.channel, decision.purpose
        allowed, known = decision.status not in RESTRICTIONS, preferences.get(name)
        if known is None or (known.allowed and not allowed):
            preferences[name] = Preference(
                channel=decision.channel, purpose=decision.purpose, allowed=allowed, consent_id=decision.consent_id
            )
    return [preferences[key] for key in sorted(preferences)]


def _when_decided(decision: ConsentDecision) -> tuple[datetime, bool, str]:
    # Of two at the same instant the refusal counts.
    return decision.decided_at, decision.status in RESTRICTIONS, decision.consent_id
