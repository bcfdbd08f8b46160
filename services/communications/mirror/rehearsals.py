"""What communications would have done, for comparing it with what a former system did: to whom a mailing goes."""

from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import NamedTuple

import orjson

from services.communications.consents.preferences import RESTRICTIONS
from services.cutover.rehearsal_rule import Outcome, Outcomes, Rehearsal, named

# Who is one member is as it is known now: a consent that is found to be the same company's counts from its own day.
# What is known of an address counts for each record that has it, and what a card refuses from the first day on.
_RECIPIENTS = """
    with said as (
        select coalesce(m.member_id::text, c.cluster || '/' || c.record_id) as member, c.cluster, c.record_id,
               c.consent_id, coalesce(c.brand, '') as brand, c.channel, c.purpose, c.status, c.decided_at
        from consents c left join member_records m on (m.cluster, m.record_id) = (c.cluster, c.record_id)
        where c.channel in ('email', 'bulk-email') and c.record_id is not null
        union all
        select coalesce(m.member_id::text, t.cluster || '/' || t.record_id), k.cluster,
               coalesce(k.record_id, 'an address'), k.consent_id, coalesce(k.brand, ''), k.channel, k.purpose, k.status,
               k.decided_at
        from consents k
        join contacts t on t.address = k.address_key
        left join member_records m on (m.cluster, m.record_id) = (t.cluster, t.record_id)
        where k.channel in ('email', 'bulk-email')
          and (k.cluster, k.record_id) is distinct from (t.cluster, t.record_id)
        union all
        select coalesce(m.member_id::text, t.cluster || '/' || t.record_id), t.cluster, t.record_id, 'the card', '', o,
               '*', 'refused', '2000-01-01T00:00:00Z'::timestamptz
        from contacts t
        left join member_records m on (m.cluster, m.record_id) = (t.cluster, t.record_id)
        cross join lateral json_array_elements_text(t.document->'opt_outs') o
        where o in ('email', 'bulk-email')
    ), objecting as (
        select member, json_agg(json_build_array(cluster, record_id, consent_id, brand, channel, purpose, status,
                                                 decided_at))::text as decisions
        from said group by 1 having bool_or(status in ('refused', 'withdrawn'))
    ), addresses as (
        select address_key, json_agg(json_build_array(cluster, coalesce(record_id, 'an address'), consent_id,
                                                      coalesce(brand, ''), channel, purpose, status,
                                                      decided_at))::text as decisions
        from consents where address_key is not null and channel in ('email', 'bulk-email')
        group by 1 having bool_or(status in ('refused', 'withdrawn'))
    ), holders as (
        select distinct on (t.address) t.address, o.decisions
        from contacts t
        left join member_records m on (m.cluster, m.record_id) = (t.cluster, t.record_id)
        join objecting o on o.member = coalesce(m.member_id::text, t.cluster || '/' || t.record_id)
        where t.address is not null order by t.address, o.member
    ), sent as (
        select r.mailing_id, r.record_id as recipient, g.purpose, g.sent_at, o.decisions
        from recipients r
        join mailings g on (g.cluster, g.mailing_id) = (r.cluster, r.mailing_id)
        left join member_records m on (m.cluster, m.record_id) = (r.cluster, r.record_id)
        left join objecting o on o.member = coalesce(m.member_id::text, r.cluster || '/' || r.record_id)
        where r.cluster = :cluster and g.sent_at >= :since
        union all
        select r.mailing_id, r.address, g.purpose, g.sent_at, coalesce(a.decisions, h.decisions)
        from address_recipients r
        join mailings g on (g.cluster, g.mailing_id) = (r.cluster, r.mailing_id)
        left join addresses a on a.address_key = r.address_key
        left join holders h on h.address = r.address_key
        where r.cluster = :cluster and g.sent_at >= :since
    )
    select mailing_id, recipient, purpose, sent_at, decisions from sent order by mailing_id, recipient
"""
_EVERY_PURPOSE = "*"


class Audience(Outcome):
    """Whether a recipient is written to."""

    written_to: bool


class Recipient(NamedTuple):
    """One recipient of one mailing, a record or an address. ``decisions``: JSON of what it decided on e-mail.

    They are None if nobody of its member, and nobody who has its address, ever objected.
    """

    mailing_id: str
    recipient: str
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
        return self.status in RESTRICTIONS

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
    """Of a member's card it is not known since when it refuses: it counts for every mailing."""
    outcomes: dict[str, Outcome] = {}
    for row in rows:
        forbidding = None
        if row.decisions is not None:
            forbidding = objection(_decisions(row.decisions), row.purpose, row.sent_at)
        because = None if forbidding is None else str(forbidding)
        outcomes[_name(row)] = Audience(written_to=forbidding is None, because=because)
    return outcomes


def _name(recipient: Recipient) -> str:
    return named(recipient.mailing_id, recipient.recipient)


@lru_cache(maxsize=4_096)
def _decisions(document: str) -> tuple[Decision, ...]:
    rows: list[list[str]] = orjson.loads(document)
    return tuple(Decision(*row[:7], decided_at=datetime.fromisoformat(row[7])) for row in rows)


REHEARSALS = (
    Rehearsal("audience", "who of its recipients would we have written to?", _RECIPIENTS, Recipient, _did, _would),
)
