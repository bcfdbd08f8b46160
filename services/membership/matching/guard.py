"""What must hold before two records are merged without a person, whatever their score.

Scores add up evidence as if each piece stood alone; the guard is for where it does not: an agency's domain under
companies that it looks after, homonyms in one département, a SIREN typed from the line above.
"""

from services.membership.matching.levels import AGREEING, PARTLY_ALIKE, Levels

TELLING_NAMES = frozenset({"exact", "fuzzy", "brand"})
NEARLY_TELLING = frozenset({"exact-common", "located", "acronym", "abbreviation", "near"})
"""Good enough beside two strong keys in one town. A generic word more is not: DUPONT, DUPONT HOLDING share all that."""


def refusal(levels: Levels) -> str | None:
    """Why the two may not be merged automatically: a word of :data:`explanations.REFUSALS`; None if they may."""
    if levels.siren == "different":
        return "sirens-differ"
    if levels.form == "different" and levels.siren != "equal":
        return "association-and-company"
    if levels.declared == "same" and levels.name in AGREEING:
        return None
    if levels.siren == "unlike":
        return "sirens-unlike"
    keys = strong_keys(levels)
    if levels.siren == "equal":
        needed = 0 if levels.name in AGREEING else 2 if levels.name in PARTLY_ALIKE else 3
        return None if keys >= needed else "siren-alone"
    if levels.name in NEARLY_TELLING and keys >= 2 and same_town(levels):
        return None
    if levels.name not in TELLING_NAMES:
        return "name-not-telling"
    if keys == 0:
        return "name-alone"
    if keys == 1 and not same_town(levels):
        return "one-key-elsewhere"
    if keys == 1 and same_address(levels) and levels.form is not None and levels.contact != "equal":
        # Sister bodies of one name under one roof are common among associations (LASER 03 and ASSOC LASER 03).
        return "association-at-address"
    return None


def strong_keys(levels: Levels) -> int:
    """How many ways of reaching them are the same and are nobody else's: on the net, by phone, by address, from 0 to 3.

    E-mail and domain count once: the one mostly contains the other.
    """
    net = levels.domain == "equal" or levels.email == "equal"
    return net + (levels.phone == "equal") + same_address(levels)


def same_address(levels: Levels) -> bool:
    """Number, street and town, unless a crowd is registered there."""
    return levels.street == "equal" and same_town(levels)


def same_town(levels: Levels) -> bool:
    """Whether both are known to be in one town."""
    return levels.place in {"postcode", "town"}
