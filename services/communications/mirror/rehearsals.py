"""What communications would have done, for comparing it with what a former system did: to whom a mailing goes."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import orjson

from services.cutover.rehearsal_rule import Outcome, Outcomes, Rehearsal, named

# Who is one member is as it is known now: a consent that is found to be the same company's counts from its own day.
_RECIPIENTS = """
    with objecting as (
        select coalesce(m.member_id::text, c.cluster || '/' || c.record_id) as member,
               json_agg(json_build_array(c.cluster, c.record_id, c.consent_id, coalesce(c.brand, ''), c.channel,
                                         c.purpose, c.status, c.decided_at))::text as decisions
        from consents c left join member_records m on (m.cluster, m.record_id) = (c.cluster, c.record_id)
        where c.channel in ('email', 'bulk-email')
        group by 1 having bool_or(c.status in ('refused', 'withdrawn'))
    )
    select r.mailing_id, r.record_id, g.purpose, g.sent_at, o.decisions
    from recipients r
    join mailings g on (g.cluster, g.mailing_id) = (r.cluster, r.mailing_id)
    left join member_records m on (m.cluster, m.record_id) = (r.cluster, r.record_id)
    left join objecting o on o.member = coalesce(m.member_id::text, r.cluster || '/' || r.record_id)
    where r.cluster = :cluster and g.sent_at >= :since
    order by r.mailing_id, r.record_id
"""
_RESTRICTIONS = frozenset({"refused", "withdrawn"})
_EVERY_PURPOSE = "*"


class Audience(Outcome):
    """Whether a recipient is written to."""

    written_to: bool


class Recipient(NamedTuple):
    """One recipient of one mailing. ``decisions``: JSON of what the member decided on e-mail, if it ever objected."""

    mailing_id: str
    record_id: str
    purpose: str | None
    sent_at: datetime
    decisions: str | None


class Decision(NamedTuple):
    """One consent, or its refusal, of whichever record of a member."""

    cluster: str
    record_id: str
    consent_id: str
    brand: str
    channel: str
    purpose: str
    status: str
    decided_at: datetime

    @property
    def restricts(self) -> bool:
        """Whether it forbids."""
        return self.status in _RESTRICTIONS

    def __str__(self) -> str:
        purpose = "every purpose" if self.purpose == _EVERY_PURPOSE else self.purpose
        where = f"by {self.cluster}/{self.record_id} ({self.consent_id})"
        return f"{self.status} on {self.decided_at:%Y-%m-%d} {where}: {self.channel} for {purpose}"


def objection(decisions: Sequence[Decision], purpose: str | None, sent_at: datetime) -> Decision | None:
    """What forbade a mailing for this purpose at that time, the oldest if several did.

    The same reading as in the consolidated view (RGPD art. 7(3) and 21; the most restrictive wins): in one record and
    brand the last decision on a channel and purpose counts, of two at one instant the one that forbids; among records
    and brands a single one forbids, and so does one for every purpose. A mailing is bulk e-mail, and who wants no
    e-mail at all wants none of it. Where a mailing does not tell its purpose, whatever was refused forbids it.
    """
    last: dict[tuple[str, ...], Decision] = {}
    for decision in sorted(decisions, key=lambda decision: (decision.decided_at, decision.restricts, decision)):
        if decision.decided_at <= sent_at:
            last[decision.cluster, decision.record_id, decision.brand, decision.channel, decision.purpose] = decision
    forbidding = [
        decision
        for decision in last.values()
        if decision.restricts and (purpose is None or decision.purpose in (purpose, _EVERY_PURPOSE))
    ]
    return min(forbidding, key=lambda decision: (decision.decided_at, decision), default=None)


def _did(rows: Sequence[Recipient]) -> Outcomes:
    return {_name(row): Audience(written_to=True) for row in rows}


def _would(rows: Sequence[Recipient]) -> Outcomes:
    """Opt-outs on a member's card are membership's, and unknown here: those that are found are the least there are."""
    outcomes: dict[str, Outcome] = {}
    for row in rows:
        forbidding = None
        if row.decisions is not None:
            forbidding = objection(_decisions(row.decisions), row.purpose, row.sent_at)
        because = None if forbidding is None else str(forbidding)
        outcomes[_name(row)] = Audience(written_to=forbidding is None, because=because)
    return outcomes


def _name(recipient: Recipient) -> str:
    return named(recipient.mailing_id, recipient.record_id)


@lru_cache(maxsize=4_096)
def _decisions(document: str) -> tuple[Decision, ...]:
    rows: list[list[str]] = orjson.loads(document)
    return tuple(Decision(*row[:7], decided_at=datetime.fromisoformat(row[7])) for row in rows)


REHEARSALS = (
    Rehearsal("audience", "who of its recipients would we have written to?", _RECIPIENTS, Recipient, _did, _would),
)
