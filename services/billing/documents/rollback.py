"""What a rollback would have billed twice."""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncConnection

from services.billing.members.queries import MEMBERS
from services.cutover.preconditions import Condition

# A member of two clusters is billed on one of its records: the former system of the other would bill it again, too.
_NOT_CREDITED = f"""
    with members as ({MEMBERS})
    select count(distinct d.document_id) from documents d join billed_days b using (document_id)
    where b.released_by is null and (d.cluster = $1 or exists (
        select from members billed join members other using (member)
        where (billed.cluster, billed.record_id) = (d.cluster, d.record_id) and other.cluster = $1))
"""


async def conditions(connection: AsyncConnection, cluster: str) -> Sequence[Condition]:
    """That no document stands which was issued here for a member that the cluster's former system knows."""
    count = (await connection.exec_driver_sql(_NOT_CREDITED, (cluster,))).scalar_one()
    return [
        Condition(
            "documents",
            count == 0,
            f"{count} documents that were issued here stand: the former system would bill their days again",
            "traboule billing documents, and enter each in the former system as billed, or correct it",
        )
    ]
