"""What must hold of billing before a cluster's billing is switched, and before it goes back."""

from collections.abc import Sequence
from datetime import date

from services.billing.cutover.write_back import NOT_CONFIRMED
from services.billing.issuers.issuer import Issuer
from services.billing.members.queries import MEMBERS
from services.billing.mirror.repository import BillingUnitOfWork
from services.cutover.preconditions import Condition
from shared.persistence.database import rows_of
from shared.runtime.clock import Clock

# A member of two clusters is billed on one of its records: the former system of the other would bill it again, too.
_UNCONFIRMED_COUNTS = f"""
    with members as ({MEMBERS}), standing as (
        select distinct d.document_id, d.cluster, d.record_id, d.number
        from documents d join billed_days b using (document_id) where b.released_by is null
    ), seats as (
        select d.cluster, d.number from documents d
        where d.cluster = $1 and d.charge_id is not null and d.corrects is null
          and d.gross > coalesce((select sum(c.gross) from documents c where c.corrects = d.document_id), 0)
    )
    select count(*) filter (where d.cluster = $1 and {NOT_CONFIRMED})
               + (select count(*) from seats d where {NOT_CONFIRMED}),
           count(*) filter (where d.cluster <> $1 and exists (
               select from members billed join members other using (member)
               where (billed.cluster, billed.record_id) = (d.cluster, d.record_id) and other.cluster = $1))
    from standing d
"""
_PAYMENTS = """
    select count(*), coalesce(sum(n.kept), 0) from (
        select p.amount - coalesce((select sum(r.amount) from refunds r join refund_approvals using (refund_id)
                                    where r.payment_id = p.payment_id), 0) as kept
        from payments_received p
        where p.cluster = $1 and not exists (select from payment_returns r where r.payment_id = p.payment_id)) n
    where n.kept > 0
"""
_GRIDS = """
    select count(*) from grid_adoptions a
    where a.issuer = any($1::text[]) and not isempty(a.valid) and (upper(a.valid) is null or upper(a.valid) > $2)
"""
_DESCRIBED = """
    select count(*), count(d.record_id)
    from (select distinct record_id from invoices where cluster = $1) i
    left join descriptions d on (d.cluster, d.record_id) = ($1, i.record_id)
"""


async def for_rollback(uow: BillingUnitOfWork, cluster: str) -> Sequence[Condition]:
    """That the former system knows every document that stands, and payment, or it would ask for both again."""
    ((unconfirmed, elsewhere),) = rows_of(await uow.connection.exec_driver_sql(_UNCONFIRMED_COUNTS, (cluster,)))
    parts = [
        f"{unconfirmed} documents that were issued here stand, and the former system has not said them"
        if unconfirmed
        else "",
        f"{elsewhere} stand on records of other clusters for members that it knows too" if elsewhere else "",
    ]
    detail = "; ".join(filter(None, parts))
    return [
        Condition(
            "documents",
            not detail,
            f"{detail}: it would bill the same again" if detail else "no document stands that it does not say",
            f"traboule cutover write-back {cluster}/billing --export FILE.csv, enter each there under its number, and "
            "import what it then holds; or correct it here; then --overrule documents for members of other clusters",
        ),
        await _payments(uow, cluster),
    ]


async def _payments(uow: BillingUnitOfWork, cluster: str) -> Condition:
    ((count, amount),) = rows_of(await uow.connection.exec_driver_sql(_PAYMENTS, (cluster,)))
    return Condition(
        "payments",
        count == 0,
        f"{count} payments were recorded here, {amount} €: the former system would ask for that money again"
        if count
        else "no payment was recorded here",
        f"enter each there (traboule billing payments list --cluster {cluster}), then take it off here, "
        "or it counts twice: traboule billing payments returned PAYMENT --code MOVED",
    )


async def for_switch(uow: BillingUnitOfWork, cluster: str) -> Sequence[Condition]:
    """That somebody can bill the cluster's members here: an issuer, a grid, and members that are described."""
    today = Clock().today()
    issuers = [issuer for issuer in uow.issuers.values() if cluster in issuer.clusters and _bills(issuer, today)]
    adopted = (await uow.connection.exec_driver_sql(_GRIDS, ([i.code for i in issuers], today))).scalar_one()
    ((billed, described),) = rows_of(await uow.connection.exec_driver_sql(_DESCRIBED, (cluster,)))
    names = ", ".join(issuer.code for issuer in issuers)
    return [
        Condition(
            "issuer",
            bool(issuers),
            f"its members are billed by {names}" if issuers else "no legal body bills its members",
            "write one with its settings into the issuers file (TRABOULE_BILLING_ISSUERS_FILE)",
        ),
        Condition(
            "grid",
            adopted > 0,
            f"{adopted} grids of {names} are adopted" if adopted else "no grid is adopted that is in force or will be",
            "traboule billing propose-grid FILE, simulate it, and traboule billing adopt-grid",
        ),
        Condition(
            "members",
            described == billed,
            f"membership described {described} of the {billed} records that were billed",
            "traboule republish -s membership; or import the members that are missing",
        ),
    ]


def _bills(issuer: Issuer, today: date) -> bool:
    """Today or later: an association that merges is followed by another body."""
    return issuer.until is None or issuer.until >= today
