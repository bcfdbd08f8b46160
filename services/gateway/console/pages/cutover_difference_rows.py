"""What the page of differences shows: the filters in its address, and each difference with both sides."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlencode

from services.gateway.console.catalogue import Words
from services.gateway.console.choices import Choice, choice_of
from services.gateway.console.display import moment
from services.gateway.console.forms import Typed
from services.gateway.console.inside import Params
from services.gateway.console.pages.access_tabs import Tab
from services.gateway.console.pages.cutover_parity import SUBJECTS, made_at
from services.gateway.console.pages.cutover_parts import Value, values_of
from services.gateway.console.pages.cutover_service_findings import why_unreadable
from services.gateway.console.pages.cutover_words import difference_name, kind_name

STATES: Final[Mapping[str, str]] = {"": "open", "acceptes": "accepted", "tous": "all"}
WHATS: Final[Mapping[str, str]] = {
    "manque-ici": "missing-here",
    "manque-la-bas": "missing-there",
    "differe": "different",
    "illisible": "unreadable",
}
TICK: Final = "ecart-"
"""How the fields of tick boxes begin."""
_ME, _NOBODY = "moi", "personne"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the address asks for; each is empty where everything is wanted. ``after`` so many."""

    subject: str = ""
    state: str = ""
    kind: str = ""
    what: str = ""
    name: str = ""
    who: str = ""
    after: int = 0

    def query(self, **more: str) -> str:
        """The address's query, with more in it; empty where nothing stands in it."""
        asked = {
            "sujet": self.subject,
            "etat": self.state,
            "sorte": self.kind,
            "nature": self.what,
            "champ": self.name,
            "qui": self.who,
            "suite": str(self.after or ""),
            **more,
        }
        named = {name: value for name, value in asked.items() if value}
        return f"?{urlencode(named)}" if named else ""

    def params(self, me: str, rows: int) -> Params:
        """What the API is asked; ``me`` is who looks."""
        return {
            "subject": SUBJECTS.get(self.subject, self.subject),
            "state": STATES.get(self.state, self.state),
            "kind": self.kind,
            "what": WHATS.get(self.what, self.what),
            "field": self.name,
            "owner": {_ME: me, _NOBODY: ""}.get(self.who, self.who),
            "unowned": self.who == _NOBODY,
            "limit": rows,
            "after": self.after,
        }

    @property
    def is_narrowed(self) -> bool:
        """Whether something is left out besides those of another state."""
        return any((self.kind, self.what, self.name, self.who))


@dataclass(frozen=True, slots=True)
class Row:
    """One difference. ``values`` is empty where the person may not see any; ``why`` is what is wrong with a row."""

    id: str
    item: str
    what: str
    kind: str
    fields: str
    owner: str
    accepted: str
    reason: str
    values: tuple[Value, ...]
    is_whole: bool
    is_unreadable: bool
    is_ticked: bool

    @property
    def tick(self) -> str:
        """The name of its tick box."""
        return TICK + self.id


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of differences; the addresses are None where there is nothing more there."""

    rows: tuple[Row, ...]
    matching: int
    choices: tuple[Choice, ...]
    owners: tuple[str, ...]
    compared: str
    following: str | None = None
    beginning: str | None = None
    ticking: str | None = None
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])


def listed(
    answer: Mapping[str, Any], wanted: Wanted, form: Typed, words: Words, *, all_ticked: bool, with_values: bool
) -> Listed:
    """The API's page of differences as it is shown."""
    following = answer["next"]
    return Listed(
        rows=tuple(_row(item, form, words, all_ticked, with_values) for item in answer["differences"]),
        matching=answer["matching"],
        choices=_choices(wanted, answer["choices"], words),
        owners=tuple(answer["choices"]["owners"]),
        compared=made_at(answer, words),
        following=None if following is None else replace(wanted, after=following).query(),
        beginning=replace(wanted, after=0).query() or "?" if wanted.after else None,
        ticking=None if all_ticked else wanted.query(cocher="tout"),
        hidden={"sujet": wanted.subject} if wanted.subject else {},
    )


def tabs_of(address: str, wanted: Wanted, words: Words) -> tuple[Tab, ...]:
    """What both sides hold, and what either did."""
    labels = (("", words.text("Miroir")), ("repetition", words.text("Répétition")))
    return tuple(Tab(address + Wanted(subject=name).query(), label, name == wanted.subject) for name, label in labels)


def _row(item: Mapping[str, Any], form: Typed, words: Words, all_ticked: bool, with_values: bool) -> Row:
    accepted, is_unreadable = item["accepted"], item["what"] == "unreadable"
    right = item["here"]
    if is_unreadable:
        right = {name: why_unreadable(reason, words) for name, reason in (item["why"] or {}).items()}
    signed = ""
    if accepted is not None:
        at = moment(accepted["at"], words.language)
        signed = words.text("Accepté le %(at)s par %(name)s", at=at, name=accepted["by"])
    return Row(
        id=item["id"],
        item=item["item_id"],
        what=difference_name(item["what"], words),
        kind=kind_name(item["kind"], words),
        fields=", ".join(item["fields"]),
        owner=item["owner"] or "",
        accepted=signed,
        reason=accepted["reason"] if accepted else "",
        values=values_of(item["there"], right) if with_values else (),
        is_whole=item["what"] in ("missing-here", "missing-there"),
        is_unreadable=is_unreadable,
        is_ticked=all_ticked or bool(form.value(TICK + item["id"])),
    )


def _choices(wanted: Wanted, known: Mapping[str, Sequence[str]], words: Words) -> tuple[Choice, ...]:
    every, all_of = words.text("Tous"), words.text("Toutes")
    states = [("", words.text("Ouverts")), ("acceptes", words.text("Acceptés")), ("tous", every)]
    kinds = [("", all_of), *((kind, kind_name(kind, words)) for kind in known["kinds"])]
    whats = [("", all_of), *((name, difference_name(what, words)) for name, what in WHATS.items())]
    fields = [("", every), *((name, name) for name in known["fields"])]
    people = [("", words.text("Tout le monde")), (_ME, words.text("Moi")), (_NOBODY, words.text("À personne"))]
    owners = [*people, *((name, name) for name in known["owners"] if name not in (_ME, _NOBODY))]
    return (
        choice_of("etat", words.text("État"), states, wanted.state),
        choice_of("sorte", words.text("Sorte"), kinds, wanted.kind),
        choice_of("nature", words.text("Nature"), whats, wanted.what),
        choice_of("champ", words.text("Champ"), fields, wanted.name),
        choice_of("qui", words.text("À qui"), owners, wanted.who),
    )
