"""Roles, and the rights of each: the only table. The README, the contract, the pages and the tests read it.

A role is a set of rights, no rung of a ladder. A grant gives one role, in one cluster or in all.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, get_args

from schemas.rights import Right

RIGHTS: Final[tuple[Right, ...]] = get_args(Right)


class Role(StrEnum):
    """What somebody is to the association."""

    READER = "reader"
    STAFF = "staff"
    TREASURER = "treasurer"
    OPERATOR = "operator"
    ADMIN = "admin"


_EVERYBODY: Final = frozenset[Right](("read-members", "read-events", "read-mailings"))
_AT_WORK: Final = _EVERYBODY | frozenset[Right](("see-cutover",))

ROLES: Final[Mapping[Role, frozenset[Right]]] = {
    Role.READER: _EVERYBODY,
    Role.STAFF: _AT_WORK
    | frozenset[Right](
        (
            *("read-persons", "decide-identity", "set-values", "write-records", "see-conflicts", "decide-late"),
            *("see-billing", "run-events", "send-mailings", "keep-consents"),
        )
    ),
    Role.TREASURER: _AT_WORK
    | frozenset[Right](("read-persons", "see-conflicts", "decide-late-billing", "see-billing", "bill")),
    Role.OPERATOR: _AT_WORK | frozenset[Right](("note-backup", "see-operations", "read-parked", "replay-parked")),
    Role.ADMIN: frozenset(RIGHTS),
}

SCOPED: Final = frozenset[Right](
    (
        *("decide-identity", "set-values", "write-records"),
        *("decide-late", "decide-late-billing", "move-systems"),
    )
)
"""Rights that hold in the cluster of the grant alone. What is read is read of all: a member is one document."""

WHOLE: Final = frozenset[Right](
    ("give-access", "read-audit", "edit-parked", "inform-members", "approve-billing", "lift-suppressions")
)
"""Rights that only a grant for all clusters gives: who administers one cluster must not reach the others by them."""

FRESH: Final = frozenset[Right](("move-systems", "give-access"))
"""For these a person must have signed in a short while ago."""

NOT_BY_KEYS: Final = frozenset[Right](("give-access", "read-audit"))
"""An API key never has these, whatever its role: a key that leaks must not make others."""

FORMER_ROLES: Final[Mapping[str, tuple[Role, ...]]] = {
    "reader": (Role.READER,),
    "staff": (Role.STAFF, Role.TREASURER),
    "admin": (Role.ADMIN,),
}
"""What a key may that was made before there were grants: as much as then."""

WORDS: Final[Mapping[Right, tuple[str, str]]] = {
    "read-members": ("lire les membres et les chiffres", "read members and figures"),
    "read-persons": ("lire les données des personnes", "read persons’ data"),
    "read-events": ("lire les événements", "read events"),
    "read-mailings": ("lire l’état des envois", "read the state of mailings"),
    "decide-identity": ("trancher les doublons", "decide duplicates"),
    "set-values": ("fixer des valeurs", "set values"),
    "write-records": ("modifier des fiches", "change records"),
    "see-conflicts": ("voir les conflits", "see conflicts"),
    "see-cutover": ("voir la bascule", "see the cutover"),
    "decide-late": ("trancher les messages tardifs et les écarts", "decide late messages and differences"),
    "decide-late-billing": ("trancher ceux de la facturation", "decide those of billing"),
    "move-systems": ("basculer un ancien système", "move a former system"),
    "note-backup": ("noter une sauvegarde", "note a backup"),
    "see-operations": ("voir l’exploitation", "see operations"),
    "read-parked": ("lire les messages mis de côté", "read parked messages"),
    "replay-parked": ("les rejouer ou les écarter", "replay or discard them"),
    "edit-parked": ("les corriger", "edit them"),
    "see-billing": ("voir la facturation", "see billing"),
    "bill": ("facturer et encaisser", "bill and take payments"),
    "approve-billing": ("approuver la facturation", "approve billing"),
    "run-events": ("tenir les événements", "run events"),
    "send-mailings": ("envoyer des courriels", "send mailings"),
    "inform-members": ("écrire à tous les membres", "write to all members"),
    "keep-consents": ("tenir les consentements", "keep consents"),
    "lift-suppressions": ("lever un refus", "lift a suppression"),
    "give-access": ("donner des accès", "give access"),
    "read-audit": ("lire le journal des accès", "read the audit"),
}
"""In French and English."""

ROLE_WORDS: Final[Mapping[Role, tuple[str, str]]] = {
    Role.READER: ("lecture", "reader"),
    Role.STAFF: ("permanent", "staff"),
    Role.TREASURER: ("trésorerie", "treasurer"),
    Role.OPERATOR: ("exploitation", "operator"),
    Role.ADMIN: ("administration", "administrator"),
}


def roles_with(right: Right) -> list[Role]:
    """Which roles have it, in the order of the table."""
    return [role for role, rights in ROLES.items() if right in rights]
