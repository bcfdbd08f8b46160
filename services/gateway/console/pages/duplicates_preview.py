"""What a decision or a separation would lead to, from the API's dry run."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.gateway.console.catalogue import Words
from services.gateway.console.display import Mark, cluster_of, mark_of
from services.gateway.console.pages.duplicates_taken import NamedRecord
from services.gateway.console.shouting import member_name


@dataclass(frozen=True, slots=True)
class MemberToBe:
    """A member that there would be."""

    name: str
    city: str | None
    records: tuple[NamedRecord, ...]
    is_changed: bool


@dataclass(frozen=True, slots=True)
class Preview:
    """All of them; ``summary`` counts them in words."""

    summary: str
    members: tuple[MemberToBe, ...]


def preview_of(tried: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> Preview:
    """The API's preview as it is shown."""
    members = tuple(_member(item, marks, words) for item in tried["members"])
    if not tried["changes"]:
        return Preview(words.text("Rien ne changerait : c’est déjà ainsi."), members)
    return Preview(words.plural("Il y aurait %(num)s membre :", "Il y aurait %(num)s membres :", len(members)), members)


def _member(item: Mapping[str, Any], marks: Mapping[str, Mark], words: Words) -> MemberToBe:
    view: Mapping[str, Any] = item["view"] or {}
    name, city = (view.get(field) or {} for field in ("name", "city"))
    return MemberToBe(
        name=member_name(name.get("value"), words),
        city=city.get("value"),
        records=tuple(NamedRecord(record, mark_of(cluster_of(record), marks)) for record in item["records"]),
        is_changed=item["changed"],
    )
