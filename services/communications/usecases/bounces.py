"""Takes in what comes back to return paths: bounces, complaints, and mails that ask for no more of them.

Who it is about is said by the token of the return path, and by nothing in the mail: anybody can write that. What comes
without a token of ours is kept and listed, and does nothing.
"""

from asyncio import to_thread
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from schemas.objections import ObjectionReceived
from services.communications.bounces.report import LARGEST, Report, read_report
from services.communications.bounces.returned import Returned
from services.communications.deliveries import objections, repository
from services.communications.deliveries.by_token import Sent, sent_with
from services.communications.deliveries.tokens import digest_of
from services.communications.suppressions.address import AddressHash, Keyring
from services.communications.suppressions.repository import suppress
from services.communications.suppressions.suppression import Suppression
from shared.persistence.database import rows_of

TO_BE_UNREACHABLE = 3
"""Bounces of a full or slow box within 30 days, on as many different days."""

_KEEP = """
    insert into bounces (digest, delivery_id, kind, meaning, enhanced, words, raw, received_at)
    select * from unnest($1::bytea[], $2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bytea[],
                         $8::timestamptz[])
    on conflict do nothing
    returning digest
"""
# Words of a bounce repeat the address: not where it was forgotten.
_REFUSED = """
    update deliveries d
    set state = 'refused', answer = case when d.address is not null then n.words end, ended_at = now()
    from unnest($1::uuid[], $2::text[]) as n (delivery_id, words)
    where d.delivery_id = n.delivery_id and d.state in ('accepted', 'uncertain')
"""
_SOFT = """
    select distinct d.key_id, d.address_key, d.delivery_id::text
    from deliveries d
    where d.delivery_id = any($1::uuid[]) and $2 <= (
        select count(distinct date_trunc('day', b.received_at at time zone 'UTC'))
        from deliveries o join bounces b using (delivery_id)
        where o.address_key = d.address_key and b.kind = 'bounce' and b.meaning in ('full', 'later')
          and b.received_at > now() - interval '30 days'
    )
"""


@dataclass(frozen=True, slots=True)
class _Read:
    returned: Returned
    report: Report
    delivery: Sent | None


async def take_in(connection: AsyncConnection, keyring: Keyring, returned: Sequence[Returned]) -> Mapping[str, int]:
    """Keep them and do what they call for; returns how many there were of each kind. What was read before is not."""
    refusals = [item for item in returned if item.use == "u" and item.token]
    await objections.keep(connection, keyring, [_objection(item) for item in refusals])
    bounced = list({item.digest: item for item in returned if item.use == "b"}.values())
    digests = {item.token: digest_of(item.token) for item in bounced if item.token}
    sent = await sent_with(connection, "return_hash", digests.values())
    # In a thread: anybody may write to a return path, and a header made for it takes seconds to read.
    reports = await to_thread(lambda: [read_report(item.raw) for item in bounced])
    read = [
        _Read(item, report, sent.get(digests.get(item.token or "", b"")))
        for item, report in zip(bounced, reports, strict=True)
    ]
    fresh = await _kept(connection, read)
    read = [item for item in read if item.returned.digest in fresh]
    await suppress(connection, keyring, [found for item in read if (found := _suppression(item))])
    await _end(connection, [item for item in read if item.delivery and item.report.kind == "bounce"])
    await suppress(connection, keyring, await _unreachable(connection, read))
    counts: defaultdict[str, int] = defaultdict(int)
    for item in read:
        counts[item.report.kind if item.delivery else "of nobody"] += 1
    counts["objection"] += len(refusals)
    return {kind: count for kind, count in counts.items() if count}


def _objection(item: Returned) -> ObjectionReceived:
    assert item.token is not None
    return ObjectionReceived(
        version=int(item.received_at.timestamp() * 1_000_000),
        link_digest=digest_of(item.token).hex(),
        act="object",
        way="mail",
        received_at=item.received_at,
    )


def _suppression(item: _Read) -> Suppression | None:
    """An unknown user is no address any more; who complains is written to in bulk no more."""
    if item.delivery is None:
        return None
    if item.report.kind == "complaint":
        return Suppression(
            cause=f"complaint/{item.delivery.delivery_id}",
            address=item.delivery.address,
            records=item.delivery.records,
            reason="complaint",
            source="complaint",
            at=item.returned.received_at,
            spreads=True,
        )
    if item.report.kind == "bounce" and item.report.meaning == "unknown-user":
        return Suppression(
            cause=f"bounce/{item.delivery.delivery_id}",
            address=item.delivery.address,
            covers="everything",
            reason="unknown-user",
            source="bounce",
            at=item.returned.received_at,
        )
    return None


async def _kept(connection: AsyncConnection, read: Sequence[_Read]) -> set[bytes]:
    columns: tuple[list[Any], ...] = (
        [item.returned.digest for item in read],
        [item.delivery and item.delivery.delivery_id for item in read],
        [item.report.kind for item in read],
        [item.report.meaning for item in read],
        [item.report.enhanced for item in read],
        [item.report.words for item in read],
        [item.returned.raw[:LARGEST] for item in read],
        [item.returned.received_at for item in read],
    )
    return {bytes(row[0]) for row in rows_of(await connection.exec_driver_sql(_KEEP, columns))}


async def _end(connection: AsyncConnection, bounces: Sequence[_Read]) -> None:
    """What bounced was not delivered; where servers refuse us, their domains wait."""
    named = {item.delivery.delivery_id: f"bounced: {item.report.words}"[:500] for item in bounces if item.delivery}
    await connection.exec_driver_sql(_REFUSED, (list(named), list(named.values())))
    ours = {item.delivery.domain for item in bounces if item.delivery and item.report.meaning == "policy"} - {""}
    if ours:
        await repository.pause(connection, ours, "mail to it bounces: spam, policy or a blocklist")


async def _unreachable(connection: AsyncConnection, read: Sequence[_Read]) -> list[Suppression]:
    """Addresses whose box was full or away on several days: staff see them, and let them be tried again."""
    soft = {
        item.delivery.delivery_id: item for item in read if item.delivery and item.report.meaning in ("full", "later")
    }
    rows = rows_of(await connection.exec_driver_sql(_SOFT, (list(soft), TO_BE_UNREACHABLE)))
    return [
        Suppression(
            cause=f"unreachable/{delivery_id}",
            address=AddressHash(key_id, bytes(address_key)),
            reason="unreachable",
            source="bounce",
            at=soft[delivery_id].returned.received_at,
        )
        for key_id, address_key, delivery_id in rows
    ]
