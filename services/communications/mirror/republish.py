"""What communications tells again after a restore."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
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
from services.communications.consents.queries import PREFERENCES
from services.communications.tables import consents, mailings
from shared.messaging.publishing import publish_mirrored
from shared.messaging.unit_of_work import UnitOfWork
from shared.persistence.database import rows_of

_FIELDS = [name for name in MailingRecorded.model_fields if name != "recipients"]
_MAILINGS = f"select cluster, applied_late, digest, {', '.join(_FIELDS)} from {rows_after(mailings, 'mailing_id')}"
_RECIPIENTS = """
    select r.cluster, r.mailing_id, r.applied_late, r.version, r.digest, array_agg(r.record_id)
    from unnest($1::text[], $2::text[]) as n (cluster, mailing_id)
    join recipients r using (cluster, mailing_id)
    group by r.cluster, r.mailing_id, r.applied_late, r.version, r.digest
"""

_Newness = tuple[int, int, bytes]
"""How many late messages had been applied, version and digest: of two tellings the larger is the newer."""


async def _page(uow: UnitOfWork, after: Place | None) -> Page:
    rows = (await uow.connection.exec_driver_sql(_MAILINGS, after or ("", ""))).mappings().all()
    keys = [row["cluster"] for row in rows], [row["mailing_id"] for row in rows]
    named: defaultdict[tuple[str, str], dict[_Newness, list[str]]] = defaultdict(dict)
    recipients = rows_of(await uow.connection.exec_driver_sql(_RECIPIENTS, keys))
    for cluster, mailing_id, applied_late, version, digest, records in recipients:
        named[cluster, mailing_id][applied_late, version, bytes(digest)] = records
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


def _republished(mailing: dict[str, Any], named: Mapping[_Newness, Sequence[str]]) -> list[dict[str, Any]]:
    """The newest telling as it came; and those whom only an older one named, as sent what the newest tells of."""
    newest = mailing["applied_late"], mailing["version"], bytes(mailing.pop("digest"))
    announcements = [mailing | {"recipients": tuple(sorted(named.get(newest, ())))}]
    for announcement, records in sorted(named.items()):
        if announcement != newest:
            # What the older telling said of the mailing is not kept here. A version below its own lets whoever still
            # has it keep it.
            applied_late, version, _ = announcement
            older = {"applied_late": applied_late, "version": max(version - 1, 0)}
            announcements.append(mailing | older | {"recipients": tuple(sorted(records))})
    return announcements


REPUBLISHED = (
    mirrored(consents, ConsentRecorded, ConsentChanged),
    statements(PREFERENCES),
    Republisher("mailings", "select count(*) from mailings", _page),
    stages_of("communications"),
)
