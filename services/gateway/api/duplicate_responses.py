"""What is answered about duplicates, decisions and a member's identity: for OpenAPI."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from services.gateway.api.member_responses import Member


class Weighed(BaseModel):
    """One field's part in the evidence: a ``weight`` above 0 speaks for one company, below 0 against it (bits)."""

    field: str
    level: str
    weight: float
    words: str


class Coded(BaseModel):
    """A stable word, and what it means to a person."""

    code: str
    words: str


class CaseRecord(BaseModel):
    """A source record: ``record`` is how decisions name it, ``written`` what it says, as written."""

    record: str
    cluster: str
    record_id: str
    written: dict[str, Any]


class CaseMember(BaseModel):
    """A member as it stands."""

    id: str
    name: str | None
    siren: str | None
    city: str | None
    clusters: list[str]
    records: list[CaseRecord]


class Compared(BaseModel):
    """A field of the two records: what each has written, and how alike that is by the evidence's own ``level``.

    ``one``: only one has a value. ``verdict`` is null where both have one that could not be compared.
    """

    field: str
    verdict: Literal["same", "near", "differ", "one"] | None
    level: str | None
    words: str | None
    left: dict[str, Any]
    right: dict[str, Any]


class CaseQuestion(BaseModel):
    """Whether two members are one company, by the two ``records`` that speak most for it: left and right.

    ``score`` is the ``prior`` of any two records and all weights of the evidence (bits); ``twice`` is what is done with
    both today.
    """

    records: tuple[str, str]
    members: tuple[str, str]
    gain: float
    probability: float
    score: float
    twice: list[Coded]
    not_merged: Coded
    prior: float
    evidence: list[Weighed]
    comparison: list[Compared]


class Contradicting(Coded):
    """Two records that one member may not hold."""

    records: tuple[str, str]


class Case(BaseModel):
    """Two members in question, or all members of a contested group.

    ``contradictions`` are why links of such a group, those in ``held_back``, were not followed.
    """

    id: str
    kind: Literal["pair", "contested"]
    gain: float
    probability: float
    score: float
    members: list[CaseMember]
    questions: list[CaseQuestion]
    contradictions: list[Contradicting]
    held_back: list[tuple[str, str]]


class Crowd(BaseModel):
    """What too many records share to be compared each with each, and the first few of them."""

    code: str
    shared: str
    records: int
    examples: list[str]
    words: str


class Queue(BaseModel):
    """The largest gain first; ``next`` goes into ``after``; ``total`` counts all that the filters leave."""

    items: list[Case]
    next: str | None
    total: int
    too_many_alike: list[Crowd]


class CasesCounted(BaseModel):
    """How many cases are open."""

    total: int


class DecidedNow(BaseModel):
    """A decision's number, whether it was there already, and the member of each of its records now."""

    decision: int
    repeated: bool
    members: dict[str, str | None]


class MemberToBe(BaseModel):
    """A member as it would be; ``changed``: of other records than now. ``view`` is null once all were removed."""

    id: str
    records: list[str]
    changed: bool
    view: Member | None


class Previewed(BaseModel):
    """All members that a decision speaks of or changes; ``gone_ids`` would lead to one of them."""

    changes: bool
    members: list[MemberToBe]
    gone_ids: list[str]


class BulkResult(BaseModel):
    """What came of one decision: what a request of its own would have answered, or its ``problem``."""

    status: int
    decision: int | None = None
    repeated: bool | None = None
    members: dict[str, str | None] | None = None
    problem: dict[str, Any] | None = None


class BulkDecided(BaseModel):
    """In the order in which they were asked."""

    results: list[BulkResult]


class DecidedPair(BaseModel):
    """What a decision says of two source records."""

    records: tuple[str, str]
    verdict: Literal["same", "different"]


class DecisionTakenBack(BaseModel):
    """When, by whom and why."""

    at: datetime
    author: str
    reason: str


class DecisionShown(BaseModel):
    """A decision. ``key_id`` is the API key that it came with; null if it came from the command line.

    ``cases`` are the ids that a question about two of its records, or about all, has or would have.
    """

    decision: int
    at: datetime
    author: str
    reason: str
    key_id: str | None
    pairs: list[DecidedPair]
    cases: list[str]
    taken_back: DecisionTakenBack | None


class Decisions(BaseModel):
    """The newest first; ``next`` goes into ``after``."""

    items: list[DecisionShown]
    next: str | None


class Link(BaseModel):
    """Two records that are held together ``by`` evidence (with its ``score``) or by a decision (with its number)."""

    model_config = ConfigDict(extra="allow")

    records: tuple[str, str]
    by: Literal["evidence", "decision"]


class Turn(BaseModel):
    """``merged`` and ``separated`` tell records and their ``cause``, ``decided`` and ``taken-back`` the decision."""

    model_config = ConfigDict(extra="allow")

    what: Literal["merged", "separated", "decided", "taken-back"]
    at: datetime


class Identity(BaseModel):
    """A member's source records, what links them now, and what became of them, the newest first."""

    id: str
    records: list[str]
    removed: list[str]
    links: list[Link]
    items: list[Turn]
    next: str | None
