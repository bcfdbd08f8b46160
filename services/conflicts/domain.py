"""Where a conflict stands, after what membership told of it and what staff decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import blake2b
from typing import Any

import orjson

from schemas.conflicts import ConflictState
from schemas.envelope import Envelope
from schemas.membership import MergeConflictChanged

Heard = Envelope[MergeConflictChanged]
Tree = Mapping[str, Any]

_CHANGED_TO = {"open": "opened again", "settled": "settled as before", "gone": "gone"}


class WrongState(ValueError):
    """A decision that does not fit where the conflict stands; the message says where that is."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """One conflict. Its fields are the table's columns.

    ``state`` and ``owner`` are as last answered; ``answers`` counts the answers, and so numbers them. A settlement
    holds for what was there twice at the time, and is kept while that is gone.
    """

    conflict_id: str
    version: int
    digest: bytes
    kind: str
    member_id: str
    records: Sequence[Tree]
    held_twice: Sequence[Tree]
    owner: str
    raised_at: datetime
    state: ConflictState
    answers: int
    changed_at: datetime
    assigned_at: datetime | None = None
    assigned_by: str | None = None
    settled_at: datetime | None = None
    settled_by: str | None = None
    settled_reason: str | None = None
    settled_twice: Sequence[str] = ()
    history: Sequence[Tree] = ()

    @classmethod
    def raised(cls, message: Heard, owner: str, at: datetime) -> "Conflict":
        """A conflict that was not heard of before; it may be gone already, where the news of that came first."""
        document = _columns_of(message)
        state: ConflictState = "open" if document["held_twice"] else "gone"
        step = {"at": at, "what": "raised" if state == "open" else _CHANGED_TO[state]}
        conflict_id, kind = message.data.conflict_id, message.data.kind
        return cls(
            **document,
            conflict_id=conflict_id,
            kind=kind,
            owner=owner,
            raised_at=at,
            state=state,
            answers=1,
            changed_at=at,
            history=[step],
        )

    def heard(self, message: Heard, at: datetime) -> "Conflict":
        """What membership tells now, unless it is older than what it told before."""
        if (message.data.version, message.digest) <= (self.version, self.digest):
            return self
        heard_of = replace(self, **_columns_of(message))
        return heard_of._answered(at, _CHANGED_TO[heard_of._current_state()])

    def assigned(self, owner: str, by: str, at: datetime) -> "Conflict":
        """Give it to somebody, whatever its state; where it was theirs already nothing changes."""
        if owner == self.owner:
            return self
        return replace(self, assigned_at=at, assigned_by=by)._answered(at, "assigned", by=by, owner=owner)

    def settled(self, reason: str, by: str, at: datetime) -> "Conflict":
        """Resolve what is there twice now. Raises WrongState unless it is open."""
        if self.state != "open":
            raise WrongState(self._where())
        done = replace(
            self, settled_at=at, settled_by=by, settled_reason=reason, settled_twice=sorted(_names(self.held_twice))
        )
        return done._answered(at, "settled", by=by, reason=reason)

    def reopened(self, reason: str | None, by: str, at: datetime) -> "Conflict":
        """Take the settlement back. Raises WrongState unless it is settled."""
        if self.state != "settled":
            raise WrongState(self._where())
        again = replace(self, settled_at=None, settled_by=None, settled_reason=None, settled_twice=())
        return again._answered(at, "reopened", by=by, reason=reason)

    def _current_state(self) -> ConflictState:
        """Settled as long as nothing is there twice but what was settled: what goes away opens nothing."""
        if not self.held_twice:
            return "gone"
        return "settled" if _names(self.held_twice) <= set(self.settled_twice) else "open"

    def _answered(
        self, at: datetime, what: str, *, by: str | None = None, owner: str | None = None, reason: str | None = None
    ) -> "Conflict":
        """The same with its state computed anew, and with one more answer if there is anything new to tell."""
        state, whose = self._current_state(), owner or self.owner
        if (state, whose) == (self.state, self.owner):
            return self
        how = {name: value for name, value in (("by", by), ("owner", owner), ("reason", reason)) if value}
        step = {"at": at, "what": what, **how}
        return replace(
            self, state=state, owner=whose, answers=self.answers + 1, changed_at=at, history=[*self.history, step]
        )

    def _where(self) -> str:
        if self.state == "settled":
            return f"it was settled by {self.settled_by} on {self.settled_at:%Y-%m-%d}: {self.settled_reason}"
        return "it is gone: nothing is there twice any more" if self.state == "gone" else "it is open"


def _columns_of(message: Heard) -> dict[str, Any]:
    tree = message.data.model_dump(mode="json", exclude_defaults=True)
    return {
        "version": message.data.version,
        "digest": message.digest,
        "member_id": message.data.member_id,
        "records": tree["between"],
        "held_twice": tree.get("overlaps", []),
    }


def _names(overlaps: Sequence[Tree]) -> set[str]:
    """What is there twice, each by its days and items alone: a gathering's new title is no new conflict."""
    return {_name(overlap) for overlap in overlaps}


def _name(overlap: Tree) -> str:
    items = sorted(orjson.dumps(item, option=orjson.OPT_SORT_KEYS) for item in overlap["items"])
    days = f"{overlap.get('starts_on')} {overlap.get('ends_on')} ".encode()
    return blake2b(days + b",".join(items), digest_size=16).hexdigest()
