"""Whoever asks: a person in a session, or a program with an API key."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from schemas.rights import Right
from services.gateway.auth.rights import NOT_BY_KEYS, ROLES, SCOPED, WHOLE, Role

CALLER: Final = "traboule.caller"
"""Key of an ASGI scope: the console asks the API inside the process for this caller. No header can set it."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role, in one cluster; in all where it is None."""

    role: Role
    cluster: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Grant":
        """``staff`` or ``staff@numelink``. Raises ValueError for a role that there is not."""
        role, _, cluster = text.partition("@")
        if role not in set(Role):
            raise ValueError(f"there is no role {role!r}; there are {', '.join(Role)}")
        return cls(Role(role), cluster or None)

    def __str__(self) -> str:
        return self.role.value if self.cluster is None else f"{self.role.value}@{self.cluster}"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person's session. ``fresh_until`` is by this process's monotonic clock."""

    number: int
    person_id: str
    fresh_until: float
    shortcuts: bool = True
    how: str = "link"


@dataclass(frozen=True)
class Caller:
    """Whoever asks. ``key_id`` is what histories keep: the id of an API key, or ``person:`` and a person's.

    ``until`` is by this process's monotonic clock: the database tells what day it is, so that no wrong clock lets
    anybody in. ``session`` is None for a key.
    """

    key_id: str
    name: str
    grants: frozenset[Grant]
    hash: bytes
    until: float
    signs_for_others: bool = False
    session: SignedIn | None = None

    @cached_property
    def rights(self) -> Mapping[Right, frozenset[str] | None]:
        """Each right, and the clusters that it holds in; None: in all."""
        rights: dict[Right, frozenset[str] | None] = {}
        for grant in self.grants:
            for right in ROLES[grant.role]:
                if (self.session is None and right in NOT_BY_KEYS) or (grant.cluster is not None and right in WHOLE):
                    continue
                rights[right] = _wider(rights.get(right, frozenset()), grant.cluster if right in SCOPED else None)
        return rights

    def may(self, right: Right, cluster: str | None = None) -> bool:
        """Whether this right is there, in this cluster; anywhere if none is named."""
        if right not in self.rights:
            return False
        clusters = self.rights[right]
        return cluster is None or clusters is None or cluster in clusters

    def may_in_any(self, right: Right, clusters: Iterable[str]) -> bool:
        """Whether this right is there in one of these clusters at least."""
        return any(self.may(right, cluster) for cluster in clusters)


def _wider(clusters: frozenset[str] | None, cluster: str | None) -> frozenset[str] | None:
    return None if clusters is None or cluster is None else clusters | {cluster}
