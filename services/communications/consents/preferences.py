"""Which decisions of a source record are in force: the rules (RGPD art. 7(3) and 21)."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from typing import Final, NamedTuple

from schemas.communications import ConsentDecision, ConsentStatus, Preference, PreferencesChanged
from services.common.listing import newest_that_fit
from services.communications.suppressions.suppression import EVERY_PURPOSE

RESTRICTIONS: Final[tuple[ConsentStatus, ...]] = ("refused", "withdrawn")
MOST_PURPOSES: Final = 1_000
"""Of one channel that are named each. No list has so many."""


class Known(NamedTuple):
    """A decision of which a cluster knows the address alone, or another record; ``whose`` names its cluster and it."""

    whose: tuple[str, str]
    decision: ConsentDecision


def preferences_of(
    cluster: str, record_id: str, consents: Iterable[ConsentDecision], known: Iterable[Known] = ()
) -> PreferencesChanged:
    """What one source record decided, whole, under version 0; ``known`` is what its addresses add.

    The order of the consents does not matter: what comes of them is the least upper bound of a lattice, in which a
    refusal stands above a consent.
    """
    own = ("", "")
    all_known = sorted(
        [*(Known(own, decision) for decision in consents), *known], key=lambda item: (*_when_decided(item), item.whose)
    )
    decisions = sorted(
        (item.decision for item in all_known), key=lambda item: (item.decided_at, item.consent_id, item.known_in or "")
    )
    listed = newest_that_fit(decisions, lambda item: item)
    return PreferencesChanged(
        version=0,
        cluster=cluster,
        record_id=record_id,
        in_force=tuple(_few(_in_force(all_known))),
        decisions=tuple(listed),
        unlisted=len(decisions) - len(listed),
    )


def _in_force(decisions: Sequence[Known]) -> list[Preference]:
    """Of each brand the last decision on a channel and purpose counts; between brands a single refusal forbids.

    The same between what the record decided, what each address did, and what each cluster knows of it.
    """
    last = {(whose, item.brand or "", item.channel, item.purpose): item for whose, item in decisions}
    preferences: dict[tuple[str, str], Preference] = {}
    for _, decision in sorted(last.items(), key=lambda item: item[0]):
        name = decision.channel, decision.purpose
        allowed, stored = decision.status not in RESTRICTIONS, preferences.get(name)
        if stored is None or (stored.allowed and not allowed):
            preferences[name] = Preference(
                channel=decision.channel,
                purpose=decision.purpose,
                allowed=allowed,
                consent_id=decision.consent_id,
                known_in=decision.known_in,
            )
    return [preferences[key] for key in sorted(preferences)]


def _few(preferences: Sequence[Preference]) -> list[Preference]:
    """The same; whoever refused more purposes than a message can name, on one channel, refuses every purpose there."""
    if len(preferences) <= MOST_PURPOSES:
        return list(preferences)
    few: list[Preference] = []
    for _, group in groupby(preferences, key=lambda item: item.channel):
        of_channel = list(group)
        refused = [item for item in of_channel if not item.allowed]
        every = [refused[-1].model_copy(update={"purpose": EVERY_PURPOSE})] if len(refused) > MOST_PURPOSES else refused
        few += every or of_channel[:MOST_PURPOSES]
    return few


def _when_decided(item: Known) -> tuple[datetime, bool, str]:
    # Of two at the same instant the refusal counts.
    decision = item.decision
    return decision.decided_at, decision.status in RESTRICTIONS, decision.consent_id
