"""The pages of Accès that somebody may open."""

from dataclasses import dataclass
from typing import Final

from schemas.rights import Right
from services.gateway.auth.caller import Caller
from services.gateway.console.catalogue import Words

_PATH: Final = "/console/acces"


@dataclass(frozen=True, slots=True)
class Tab:
    """A page beside others."""

    path: str
    label: str
    is_current: bool


def tabs(person: Caller, current: str, words: Words) -> tuple[Tab, ...]:
    """Those that this person may open, in order."""
    all_tabs: tuple[tuple[str, str, Right], ...] = (
        (_PATH, words.text("Personnes"), "give-access"),
        (f"{_PATH}/cles", words.text("Clés des programmes"), "give-access"),
        (f"{_PATH}/journal", words.text("Journal"), "read-audit"),
        (f"{_PATH}/roles", words.text("Rôles"), "read-members"),
        (f"{_PATH}/moi", words.text("Mes sessions"), "read-members"),
    )
    return tuple(Tab(path, label, path == current) for path, label, right in all_tabs if person.may(right))
