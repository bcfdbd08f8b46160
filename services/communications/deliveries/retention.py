"""How long mails are kept: who got one for a year, what it said and what came back for ninety days.

A delivery itself stays, without name and address: its links must work as long as somebody keeps the mail (RFC 8058
sets no end), and its cause keeps it from going out again. Source of the days: `README.md`, "How long mails are kept".
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy.ext.asyncio import AsyncEngine

from services.communications.consents.objections import CHANNELS
from services.communications.consents.preferences import RESTRICTIONS
from services.communications.suppressions.suppression import FROM_FORMER_SYSTEMS

PAGE: Final = 1_000
FORGET_EVERY: Final = 3_600.0
WAITS: Final = timedelta(days=30)
"""From when it was first due: a mail that could not go out for so long goes out no more."""
UNMATCHED: Final = timedelta(days=365)
"""That somebody objected counts longer than any backup is kept, whatever is set for the log."""
# A former list that knows an address alone can be told of an objection only while the address is known here: asked of
# each list by itself, until that one says the objection.
_OWED_TO_A_LIST: Final = f"""
    exists (
        select from (select * from suppressions where address_key = d.address_key offset 0) s
        cross join lateral (
            select cluster from consents where address_key = d.address
            union
            select cluster from address_recipients where address_key = d.address) l
        where s.lifted_at is null and s.reason in ('objection', 'complaint')
          and not starts_with(s.cause, '{FROM_FORMER_SYSTEMS}')
          and not exists (select from contact_keys k where (k.address_key, k.cluster) = (d.address_key, l.cluster))
          and not exists (
            select from consents c
            where c.address_key = d.address and c.cluster = l.cluster and c.status in {RESTRICTIONS}
              and c.channel in {CHANNELS} and c.purpose in ('*', s.purpose)))
"""
# Of a paused domain, or without a mail file: what never ends is never forgotten. And what has lost its text cannot go.
_WAITED: Final = f"""
    update deliveries d
    set state = case state when 'due' then 'gave-up' else 'uncertain' end, ended_at = now(), claim = null,
        claimed_until = null,
        answer = case when scheduled_at < now() - $1::interval then 'it waited for longer than {WAITS.days} days'
                      else 'what it says was forgotten' end
    where delivery_id in (
        select w.delivery_id from deliveries w
        where w.state in ('due', 'handing') and (w.claimed_until is null or w.claimed_until < now())
          and (w.scheduled_at < now() - $1::interval or w.state = 'due' and
               (select document = '{{}}' from contents where content_id = w.content_id))
        limit {PAGE} for update skip locked)
"""
# Answers of servers repeat the address.
_RECIPIENTS: Final = f"""
    with forgotten as (
        select d.delivery_id from deliveries d
        where d.address is not null and d.ended_at < now() - $1::interval and not ({_OWED_TO_A_LIST})
        order by d.ended_at limit {PAGE} for update skip locked
    ), attempts as (
        delete from delivery_attempts a using forgotten f where a.delivery_id = f.delivery_id
    )
    update deliveries d set address = null, domain = '', name = null, fields = '{{}}', answer = null
    from forgotten f where d.delivery_id = f.delivery_id
"""
_TEXTS: Final = f"""
    with forgotten as (
        select c.content_id from contents c
        where c.document <> '{{}}' and c.created_at < now() - $1::interval
          and not exists (select from deliveries d where d.content_id = c.content_id
                          and (d.ended_at is null or d.ended_at >= now() - $1::interval))
        order by c.created_at limit {PAGE} for update skip locked
    ), files as (
        delete from attachments a using forgotten f where a.content_id = f.content_id
    )
    update contents c set document = '{{}}' from forgotten f where c.content_id = f.content_id
"""
_RETURNED: Final = f"""
    update bounces set raw = null where digest in (
        select digest from bounces where raw is not null and received_at < now() - $1::interval
        order by received_at limit {PAGE})
"""
# The row stays: the same mailbox may be read again.
_WORDS: Final = f"""
    update bounces set words = '' where digest in (
        select digest from bounces where words <> '' and received_at < now() - $1::interval
        order by received_at limit {PAGE})
"""
_UNMATCHED: Final = f"""
    delete from unmatched_objections where ctid in (
        select ctid from unmatched_objections where received_at < now() - $1::interval
        order by received_at limit {PAGE})
"""


@dataclass(frozen=True, slots=True)
class Retention:
    """How long. ``log``: who got a mail and what was answered; ``text``: what it said, and what came back."""

    log: timedelta
    text: timedelta

    async def forget(self, engine: AsyncEngine) -> None:
        """End what waited for too long, and forget what is older, in transactions of a page each."""
        for sql, age in (
            (_WAITED, WAITS),
            (_RECIPIENTS, self.log),
            (_TEXTS, self.text),
            (_RETURNED, self.text),
            (_WORDS, self.log),
            (_UNMATCHED, UNMATCHED),
        ):
            changed = PAGE
            while changed == PAGE:
                async with engine.begin() as connection:
                    changed = (await connection.exec_driver_sql(sql, (age,))).rowcount
