"""All SQL of sending: claim what is due, mark it before its text leaves, settle what was answered."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy.ext.asyncio import AsyncConnection

from services.communications.bounces.meaning import Meaning
from services.communications.deliveries.delivery import RESEND_AFTER, Answer, Mode, Outcome
from services.communications.deliveries.message import Attachment, Letter
from services.communications.suppressions.address import Keyring
from services.communications.suppressions.repository import blocked, looked_at
from shared.persistence.database import json_of, rows_of
from shared.persistence.fingerprint import FINGERPRINT

LEASE: Final = timedelta(minutes=15)
"""A sender that has not answered for so long is gone: longer than the longest wait for an answer."""

# A text that was forgotten is looked up by its key: one mail without would stop all that are claimed with it.
_CLAIM = """
    with chosen as (
        select d.delivery_id
        from deliveries d left join paces p on p.domain = d.domain
        where d.state = 'due' and d.due_at <= now() and p.paused_at is null
          and (d.claimed_until is null or d.claimed_until < now())
          and (select document <> '{}' from contents where content_id = d.content_id)
        order by d.due_at, d.delivery_id limit $2
        for update of d skip locked
    )
    update deliveries d set claim = $1::uuid, claimed_until = now() + $3::interval
    from chosen where d.delivery_id = chosen.delivery_id
    returning d.delivery_id::text, d.kind, d.mode, d.purpose, d.brand, d.name, d.address, d.domain, d.key_id,
              d.content_id, d.fields, d.attempt, d.created_at, d.scheduled_at, d.not_after, d.paced
"""
_GIVE_UP = """
    update deliveries set state = 'gave-up', ended_at = now(), answer = 'what it says was over before it could go out'
    where state = 'due' and not_after < now() and (claimed_until is null or claimed_until < now())
"""
# The next free moment of each domain, and so many after it.
_PACED = "insert into paces (domain) select unnest($1::text[]) on conflict do nothing"
_SLOTS = """
    update paces p set free_at = greatest(p.free_at, clock_timestamp()) + n.every * n.number
    from unnest($1::text[], $2::interval[], $3::int[]) as n (domain, every, number)
    where p.domain = n.domain returning p.domain, p.free_at
"""
# Moments are given in advance, and a sender may be late for several: this keeps them apart all the same.
_TURN = """
    update paces set sent_at = clock_timestamp()
    where domain = $1 and (sent_at is null or sent_at <= clock_timestamp() - $2::interval) returning true
"""
_PUT_BACK = """
    update deliveries d set claim = null, claimed_until = null, due_at = coalesce(n.due_at, d.due_at),
                            paced = d.paced or n.due_at is not null
    from unnest($2::uuid[], $3::timestamptz[]) as n (delivery_id, due_at)
    where d.delivery_id = n.delivery_id and d.claim = $1::uuid and d.state = 'due'
"""
_MARK = """
    update deliveries
    set state = 'handing', attempt = attempt + 1, handed_at = clock_timestamp(), claimed_until = now() + $3::interval
    where delivery_id = any($2::uuid[]) and claim = $1::uuid and state = 'due'
    returning delivery_id::text
"""
_SUPPRESS = """
    update deliveries d
    set state = 'suppressed', ended_at = now(), answer = n.answer, claim = null, claimed_until = null
    from unnest($2::uuid[], $3::text[]) as n (delivery_id, answer)
    where d.delivery_id = n.delivery_id and d.claim = $1::uuid and d.state = 'due'
"""
_SETTLE = """
    with answers as (
        select * from unnest($2::uuid[], $3::text[], $4::int[], $5::int[], $6::text[], $7::timestamptz[])
            as n (delivery_id, state, attempt, code, answer, due_at)
    ), tried as (
        insert into delivery_attempts (delivery_id, attempt, outcome, code, answer)
        select delivery_id, attempt, state, code, answer from answers
    )
    update deliveries d
    set state = n.state, attempt = n.attempt, code = n.code, answer = n.answer, claim = null, claimed_until = null,
        paced = false, due_at = coalesce(n.due_at, d.due_at), ended_at = case when n.state <> 'due' then now() end
    from answers n
    where d.delivery_id = n.delivery_id and d.claim = $1::uuid and d.state in ('due', 'handing')
"""
_SWEEP = """
    with lost as (
        select delivery_id from deliveries where state = 'handing' and claimed_until < now() for update skip locked
    ), found as (
        update deliveries d
        set state = case when mode = 'bulk' then 'uncertain' else 'due' end, claim = null, claimed_until = null,
            due_at = case when mode = 'bulk' then due_at else now() + $1::interval end,
            ended_at = case when mode = 'bulk' then now() end,
            answer = 'its sender ended before an answer came'
        from lost where d.delivery_id = lost.delivery_id
        returning d.delivery_id, d.attempt, d.state, d.answer
    ), noted as (
        insert into delivery_attempts (delivery_id, attempt, outcome, answer)
        select delivery_id, attempt, state, answer from found
    )
    select count(*) from found
"""
# What waited in a backup may have gone out after it was made.
_HOLD = f"""
    with held as (
        insert into mail_databases as kept (fingerprint) values ({FINGERPRINT})
        on conflict (single) do update set fingerprint = excluded.fingerprint
        where kept.fingerprint <> excluded.fingerprint
        returning xmax <> 0 as restored
    )
    update deliveries set state = 'uncertain', ended_at = now(), claim = null, claimed_until = null,
                          answer = 'the database was restored: it may have gone out since the backup'
    where state in ('due', 'handing') and exists (select from held where restored)
"""
_CONTENTS = "select content_id, document from contents where content_id = any($1::bytea[])"
_FILES = "select content_id, name, media_type, body from attachments where content_id = any($1::bytea[]) order by 1, 2"
_PAUSE = """
    insert into paces (domain, paused_because, paused_at) select d, $2, now() from unnest($1::text[]) as d
    on conflict (domain) do update set paused_because = excluded.paused_because, paused_at = excluded.paused_at
    where paces.paused_at is null
"""


@dataclass(frozen=True, slots=True)
class Claimed:
    """A delivery that is this sender's for a while, and nobody else's."""

    delivery_id: str
    kind: str
    mode: Mode
    purpose: str
    brand: str
    name: str | None = field(repr=False)
    address: str = field(repr=False)
    domain: str
    key_id: str
    content_id: bytes
    fields: Mapping[str, str] = field(repr=False)
    attempt: int
    created_at: datetime
    scheduled_at: datetime
    not_after: datetime | None
    paced: bool


class Settled(NamedTuple):
    """What was answered for a delivery, and what it is from now on."""

    delivery: Claimed
    attempt: int
    answer: Answer
    outcome: Outcome
    meaning: Meaning | None = None


class Slots(NamedTuple):
    """How many mails of a domain want a moment of their own, so far apart."""

    every: timedelta
    number: int


async def claim(connection: AsyncConnection, claim_id: str, number: int, lease: timedelta = LEASE) -> list[Claimed]:
    """Take so many deliveries that are due, the oldest first; of those that nobody else has."""
    await connection.exec_driver_sql(_GIVE_UP)
    rows = (await connection.exec_driver_sql(_CLAIM, (claim_id, number, lease))).mappings()
    return [Claimed(**{**row, "fields": json_of(row["fields"])}) for row in rows]


async def take_slots(connection: AsyncConnection, wanted: Mapping[str, Slots]) -> dict[str, datetime]:
    """The first of the moments that each domain's mails may go out at; the others follow, ``every`` apart."""
    names = sorted(wanted)
    columns = (names, [wanted[name].every for name in names], [wanted[name].number for name in names])
    await connection.exec_driver_sql(_PACED, (names,))
    ends = rows_of(await connection.exec_driver_sql(_SLOTS, columns))
    return {domain: end - wanted[domain].every * wanted[domain].number for domain, end in ends}


async def take_turn(connection: AsyncConnection, domain: str, every: timedelta) -> bool:
    """Whether a mail to this domain may begin now: the one before began at least ``every`` ago."""
    return bool(rows_of(await connection.exec_driver_sql(_TURN, (domain, every))))


async def put_back(connection: AsyncConnection, claim_id: str, due: Mapping[str, datetime | None]) -> None:
    """Leave these to whoever claims next, at a moment of their own if one is given."""
    await connection.exec_driver_sql(_PUT_BACK, (claim_id, list(due), list(due.values())))


async def mark(
    connection: AsyncConnection,
    keyring: Keyring,
    claim_id: str,
    deliveries: Collection[Claimed],
    lease: timedelta = LEASE,
) -> set[str]:
    """Mark those that may leave now; the others are suppressed, or are no longer this sender's. Commit before DATA."""
    await looked_at(connection)
    free = [item.delivery_id for item in await suppress_blocked(connection, keyring, claim_id, deliveries)]
    return {row[0] for row in rows_of(await connection.exec_driver_sql(_MARK, (claim_id, sorted(free), lease)))}


async def suppress_blocked(
    connection: AsyncConnection, keyring: Keyring, claim_id: str, deliveries: Collection[Claimed]
) -> list[Claimed]:
    """End those that must not go out; returns the others."""
    hashes = {item.delivery_id: [found.value for found in keyring.all(item.address)] for item in deliveries}
    reasons = await blocked(connection, hashes)
    if reasons:
        await connection.exec_driver_sql(_SUPPRESS, (claim_id, list(reasons), [str(why) for why in reasons.values()]))
    return [item for item in deliveries if item.delivery_id not in reasons]


async def settle(connection: AsyncConnection, claim_id: str, answers: Sequence[Settled]) -> None:
    """Keep what was answered."""
    columns = (
        claim_id,
        [item.delivery.delivery_id for item in answers],
        [item.outcome.state for item in answers],
        [item.attempt for item in answers],
        [item.answer.code for item in answers],
        [item.answer.printable for item in answers],
        [item.outcome.due_at for item in answers],
    )
    await connection.exec_driver_sql(_SETTLE, columns)


async def hold_after_restore(connection: AsyncConnection) -> int:
    """Leave to a person what waited when this database was backed up; how many mails there are."""
    return (await connection.exec_driver_sql(_HOLD)).rowcount


async def sweep(connection: AsyncConnection) -> int:
    """Decide about what a sender left marked: bulk mail is uncertain, transactional mail is sent again."""
    return (await connection.exec_driver_sql(_SWEEP, (RESEND_AFTER,))).scalar_one()


async def pause(connection: AsyncConnection, domains: Collection[str], because: str) -> None:
    """Write to no address of these domains until staff let it: their servers refuse us, and not a recipient."""
    await connection.exec_driver_sql(_PAUSE, (sorted(domains), because))


async def letters(connection: AsyncConnection, contents: Collection[bytes]) -> dict[bytes, Letter]:
    """What these deliveries say."""
    files: dict[bytes, list[Attachment]] = {}
    for content, *item in rows_of(await connection.exec_driver_sql(_FILES, (list(contents),))):
        files.setdefault(bytes(content), []).append(Attachment(item[0], item[1], bytes(item[2])))
    documents = rows_of(await connection.exec_driver_sql(_CONTENTS, (list(contents),)))
    return {
        bytes(content): Letter(**json_of(document), attachments=files.get(bytes(content), ()))
        for content, document in documents
    }
