"""What communications tells again after a restore."""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from schemas.communications import ConsentChanged, ConsentRecorded, MailingChanged, MailingRecorded
from services.common.republish import (
    Page,
    Place,
    Republisher,
    mirrored,
    page_of,
    recorded_message,
    rows_after,
    stages_of,
)
from services.common.sections import statements
from services.common.waiting import waiting_of
from services.communications.consents.queries import PREFERENCES
from services.communications.cutover.write_back import OBJECTIONS_AGAIN
from services.communications.tables import consents, mailings
from shared.messaging.publishing import publish_mirrored
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

_LISTS = ("recipients", "addresses")
_FIELDS = [name for name in MailingRecorded.model_fields if name not in (*_LISTS, "part", "parts")]
_MAILINGS = f"select cluster, applied_late, digest, {', '.join(_FIELDS)} from {rows_after(mailings, 'mailing_id')}"
_NAMED = """
    select r.cluster, r.mailing_id, r.applied_late, r.version, r.digest, array_agg(r.{column})
    from unnest($1::text[], $2::text[]) as n (cluster, mailing_id)
    join {table} r using (cluster, mailing_id)
    group by r.cluster, r.mailing_id, r.applied_late, r.version, r.digest
"""
_RECIPIENTS = {
    "recipients": _NAMED.format(table="recipients", column="record_id"),
    "addresses": _NAMED.format(table="address_recipients", column="address"),
}

_Lists = dict[str, tuple[str, ...]]
"""Whom one telling names: records, and addresses."""
_Newness = tuple[int, int, bytes]
"""How many late messages had been applied, version and digest: of two tellings the larger is the newer."""


async def _page(uow: UnitOfWork, after: Place | None) -> Page:
    rows = (await uow.connection.exec_driver_sql(_MAILINGS, after or ("", ""))).mappings().all()
    keys = [row["cluster"] for row in rows], [row["mailing_id"] for row in rows]
    named: defaultdict[tuple[str, str], defaultdict[_Newness, _Lists]] = defaultdict(lambda: defaultdict(dict))
    for name, sql in _RECIPIENTS.items():
        for cluster, mailing_id, *newness, digest, names in rows_of(await uow.connection.exec_driver_sql(sql, keys)):
            named[cluster, mailing_id][newness[0], newness[1], bytes(digest)][name] = tuple(sorted(names))
    publish_mirrored(
        uow,
        MailingChanged,
        [
            recorded_message(MailingRecorded, announcement)
            for row in rows
            for announcement in _republished({**row}, named[row["cluster"], row["mailing_id"]])
        ],
    )
    return page_of(len(rows), (rows[-1]["cluster"], rows[-1]["mailing_id"]) if rows else None)


def _republished(mailing: dict[str, Any], named: Mapping[_Newness, _Lists]) -> list[dict[str, Any]]:
    """The newest telling as it came; and those whom only an older one named, as sent what the newest tells of."""
    newest = mailing["applied_late"], mailing["version"], bytes(mailing.pop("digest"))
    announcements = [mailing | _whole(named.get(newest, {}))]
    for announcement, names in sorted(named.items()):
        if announcement != newest:
            # What the older telling said of the mailing is not kept here. A version below its own lets whoever still
            # has it keep it.
            applied_late, version, _ = announcement
            older = {"applied_late": applied_late, "version": max(version - 1, 0)}
            announcements.append(mailing | older | _whole(names))
    return announcements


def _whole(names: _Lists) -> dict[str, Any]:
    # A part of a long list is told again as a telling of its own.
    return {name: names.get(name, ()) for name in _LISTS} | {"part": None, "parts": None}


REPUBLISHED = (
    mirrored(consents, ConsentRecorded, ConsentChanged),
    statements(PREFERENCES),
    Republisher("mailings", "select count(*) from mailings", _page),
    OBJECTIONS_AGAIN,
    stages_of("communications"),
    waiting_of("communications"),
)
