"""What a command makes of one source record, as its former system would have: pure, and always a whole new version.

Every command is a JSON merge patch (RFC 7396) on the record as it is written; they differ in what they may touch.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final, Literal

from pydantic import ValidationError

from schemas.membership import MemberRecorded
from schemas.suggestions import meant
from services.membership.normalisation.data_quality import REPAIRS, Problem
from services.membership.normalisation.normalise import understand
from shared.runtime.text import printable

CommandName = Literal["create", "change", "end", "contact"]

KEPT: Final = ("record_id", "version", "created_on", "modified_on")
"""What no command sets: it is kept by whoever keeps the record."""

CONTACT: Final[Mapping[str, str]] = {
    "first_name": "contact_first_name",
    "last_name": "contact_last_name",
    "role": "contact_role",
    "email": "email",
    "phone": "phone",
    "mobile": "mobile",
}
"""The parts of a contact, and the fields that they are."""

_NEVER_CHANGED: Final = {"version", "modified_on"}
"""They move on with every version, and say nothing of what it brought."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One field of the record that cannot be as it is asked for; ``field`` is a path such as ``subscriptions.0``."""

    field: str
    message: str


class FieldsRefusedError(ValueError):
    """The record would not fit its schema. No fault holds a value."""

    def __init__(self, faults: Iterable[Fault]) -> None:
        self.faults = tuple(faults)
        super().__init__("; ".join(f"{fault.field}: {fault.message}" for fault in self.faults))


class DoubtfulError(ValueError):
    """Values that fit the schema and that nobody understands, such as a SIREN whose check digit is wrong."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("; ".join(f"{problem.field}: {problem.meaning}" for problem in self.problems))


@dataclass(frozen=True, slots=True)
class NextVersion:
    """A record's next version, and the names of the fields that it changes: none if all is as it was."""

    fact: MemberRecorded
    changed: tuple[str, ...]


def edit(
    written: Mapping[str, Any], patch: Mapping[str, Any], *, record_id: str, version: int, on: date
) -> NextVersion:
    """The record that a patch makes of what is ``written`` (empty for a record that is new). Raises FieldsRefusedError.

    ``version`` and ``on``, the day of the change, are what the next version carries.
    """
    patched: dict[str, Any] = merge_patch(written, patch)
    touched = [name for name in KEPT if patched.get(name) != written.get(name)]
    if touched:
        raise FieldsRefusedError(Fault(name, "is kept by Traboule itself: leave it out") for name in touched)
    own = {"record_id": record_id, "version": version, "modified_on": on.isoformat()}
    fact = _fact({"created_on": on.isoformat(), **patched} | own if not written else patched | own)
    return NextVersion(fact, _changed(written, fact))


def ending(written: Mapping[str, Any], last_day: date, today: date) -> dict[str, Any]:
    """The patch that ends a membership. Terms that were paid stay: what was paid was paid. Raises FieldsRefusedError.

    Nothing in a record comes into force by itself, so a day that is still to come is refused.
    """
    if last_day > today:
        raise FieldsRefusedError([Fault("on", "is still to come: end the membership when the day is there")])
    since = written.get("member_since")
    if since is not None and last_day < date.fromisoformat(since):
        raise FieldsRefusedError([Fault("on", "lies before the first day of membership")])
    return {"status": "ended", "ended_on": last_day.isoformat()}


def contact(parts: Mapping[str, str | None]) -> dict[str, str | None]:
    """The patch that replaces a contact whole: what ``parts`` does not name is removed."""
    # An empty text says as much as none, and would be held to be a value.
    return {field: parts.get(part) or None for part, field in CONTACT.items()}


def check_understood(written: Mapping[str, Any], following: NextVersion) -> None:
    """Refuse values that nobody understands. Raises DoubtfulError.

    What was doubtful before and is not touched stays as it is: a correction of the town must not fail on an old number.
    """
    before = (
        {(problem.field, problem.code) for problem in understand(_fact(written)).problems} if written else set[Any]()
    )
    problems = [
        problem
        for problem in understand(following.fact).problems
        if problem.code not in REPAIRS
        and (problem.field in following.changed or (problem.field, problem.code) not in before)
    ]
    if problems:
        raise DoubtfulError(problems)


def merge_patch(target: Any, patch: Any) -> Any:
    """RFC 7396: an object is merged, null removes, and anything else replaces."""
    if not isinstance(patch, Mapping):
        return patch
    merged: dict[str, Any] = dict(target) if isinstance(target, Mapping) else {}
    for name, value in patch.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge_patch(merged.get(name), value)
    return merged


def _fact(document: Mapping[str, Any]) -> MemberRecorded:
    """Validated as a message would be, from JSON. Raises FieldsRefusedError."""
    try:
        # Not orjson: a number too long for 64 bits is refused by the schema, with its field's name.
        return MemberRecorded.model_validate_json(json.dumps(document))
    except ValidationError as error:
        raise FieldsRefusedError(_fault(details) for details in error.errors(include_input=False)) from None


def _fault(error: Any) -> Fault:
    path = ".".join(printable(str(part)[:60]) for part in error["loc"])
    if error["type"] == "extra_forbidden" and len(error["loc"]) == 1:
        return Fault(path, f"there is no such field: {meant(MemberRecorded, str(error['loc'][0]))}")
    return Fault(path or "fields", str(error["msg"]))


def _changed(written: Mapping[str, Any], fact: MemberRecorded) -> tuple[str, ...]:
    now = fact.model_dump(mode="json", exclude_defaults=True)
    names = {*written, *now} - _NEVER_CHANGED
    return tuple(sorted(name for name in names if written.get(name) != now.get(name)))
