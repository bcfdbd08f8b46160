"""The newest version of each record that files state, by kind and id: what is to be found once all has arrived."""

from typing import TypeAlias

from schemas.base import Fact
from shared.importing.plain import identity_of

Versions: TypeAlias = dict[type[Fact], dict[str, int]]


def id_of(fact: Fact) -> str:
    """The former system's own id of what a fact is about."""
    return getattr(fact, identity_of(type(fact)))


def note(versions: Versions, fact: Fact) -> None:
    """Add what one fact states."""
    known = versions.setdefault(type(fact), {})
    known[id_of(fact)] = max(fact.version, known.get(id_of(fact), 0))
