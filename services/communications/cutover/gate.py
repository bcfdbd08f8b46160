"""What must hold of communications before a cluster's communications are switched, and before they go back."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from services.communications.brands.brand import Brand, MailSettings
from services.communications.brands.dns_records import check_brand
from services.communications.cutover.write_back import count_unconfirmed
from services.communications.deliveries.signing import DkimKeyError
from services.communications.mirror.repository import CommunicationsUnitOfWork
from services.cutover.parity.runs import last_runs
from services.cutover.preconditions import PARITY_IS_FRESH, Condition, Parity
from services.cutover.stages import read_stages
from shared.persistence.database import rows_of

_WRITTEN_TO: Final = """
    select cluster from contacts where coalesce(address, shown_address) is not null group by cluster order by cluster
"""
_DESCRIBED: Final = """
    select count(*), count(c.record_id)
    from (select record_id from consents where cluster = $1 and record_id is not null
          union select record_id from recipients where cluster = $1) r
    left join contacts c on (c.cluster, c.record_id) = ($1, r.record_id)
"""
_NOW: Final = "select now()"
_SEEN: Final = """
    select seen_by, seen_at, now() from seen_test_mails where brand = $1 order by seen_at desc limit 1
"""
TEST_IS_FRESH: Final = timedelta(days=7)
DNS_SECONDS: Final = 3.0
"""For all of a brand's records at once: whoever asks for the conditions waits."""
WRITE_A_BRAND: Final = "write a [brands.CODE] with its clusters into the mail file (TRABOULE_COMMUNICATIONS_MAIL_FILE)"


async def looked_up(uow: CommunicationsUnitOfWork, cluster: str) -> Sequence[Condition]:
    """That receivers can believe mail of the cluster's brand: asked of name servers."""
    return [await _dns(uow.mail, _brand_of(uow, cluster))]


async def for_switch(uow: CommunicationsUnitOfWork, cluster: str) -> Sequence[Condition]:
    """That mail of its brand arrives, and that everybody who is written to was asked about: objections, contacts."""
    ((known, described),) = rows_of(await uow.connection.exec_driver_sql(_DESCRIBED, (cluster,)))
    return [
        await _test_mail(uow, _brand_of(uow, cluster)),
        await _consents(uow, cluster),
        Condition(
            "contacts",
            described == known,
            f"membership described {described} of the {known} records that its former system names",
            "traboule republish -s membership; or import the members that are missing",
        ),
        Condition(
            "address-keys",
            uow.has_keyring,
            "objections are suppressed"
            if uow.has_keyring
            else "without a secret of addresses no objection is suppressed",
            "set TRABOULE_COMMUNICATIONS_ADDRESS_KEYS, and restart the service",
        ),
    ]


async def for_rollback(uow: CommunicationsUnitOfWork, cluster: str) -> Sequence[Condition]:
    """That the former list knows whom it must not write to. It cannot be overruled (RGPD art. 21(3))."""
    count = await count_unconfirmed(uow, cluster)
    return [
        Condition(
            "objections",
            count == 0,
            f"{count} objections that were taken here its former system has not said: it would write to these people"
            if count
            else "its former system says every objection that was taken here",
            f"traboule cutover write-back {cluster}/communications --export FILE.csv, enter each there, and import "
            "what it then holds; or, where it exports none, that very file",
        )
    ]


def _brand_of(uow: CommunicationsUnitOfWork, cluster: str) -> Brand | str:
    """The brand that writes to the cluster; else why there is none."""
    if uow.mail is None:
        return "no mail goes out here"
    return uow.mail.brand_of(cluster) or f"no brand of the mail file writes to {cluster}"


async def _dns(mail: MailSettings | None, brand: Brand | str) -> Condition:
    """That receivers can believe mail of the brand (RFC 7208, RFC 6376, RFC 7489), and that bounces come back."""
    if mail is None or isinstance(brand, str):
        return Condition("dns", False, str(brand), WRITE_A_BRAND)
    remedy = f"traboule mail dns --brand {brand.code}, and enter what it prints"
    try:
        checked = await check_brand(brand, mail, DNS_SECONDS)
    except DkimKeyError as error:
        return Condition("dns", False, f"{brand.code}: {error}", "mend the mail file, and restart the service")
    wrong = [f"{item.wanted.what} is {item.verdict}" for item in checked if item.verdict != "right"]
    right = ", ".join(item.wanted.what for item in checked)
    signed = "" if brand.dkim else "; the relay signs (DKIM), which is not checked here"
    return Condition("dns", not wrong, f"{brand.code}: {'; '.join(wrong) or f'{right} are right{signed}'}", remedy)


async def _test_mail(uow: CommunicationsUnitOfWork, brand: Brand | str) -> Condition:
    """That a person saw a mail of the brand arrive: what no lookup can tell."""
    if isinstance(brand, str):
        return Condition("test-mail", False, brand, WRITE_A_BRAND)
    remedy = f"traboule mail test YOUR-ADDRESS --brand {brand.code}, then traboule mail seen CODE, as the mail says"
    rows = rows_of(await uow.connection.exec_driver_sql(_SEEN, (brand.code,)))
    for seen_by, seen_at, now in rows:
        detail = f"{seen_by} saw a test mail of {brand.code} at {seen_at:%Y-%m-%d %H:%M} UTC"
        return Condition("test-mail", now - seen_at <= TEST_IS_FRESH, detail, remedy)
    return Condition("test-mail", False, f"nobody said that a test mail of {brand.code} arrived", remedy)


async def _consents(uow: CommunicationsUnitOfWork, cluster: str) -> Condition:
    """Of each cluster that is written to: its objections were compared within a day, unless they are told here."""
    written_to = {*(await uow.connection.exec_driver_sql(_WRITTEN_TO)).scalars(), cluster}
    state = await read_stages(uow.connection)
    now = (await uow.connection.exec_driver_sql(_NOW)).scalar_one()
    runs = await last_runs(uow.connection)
    former = sorted(name for name in written_to if name not in state or not state[name].is_ours)
    lacking = [f"{name}: {why}" for name in former if (why := _why_stale(runs, name, now))]
    remedy = ", ".join(f"traboule parity --as {text.partition(':')[0]}/communications EXPORT-FILES" for text in lacking)
    detail = "; ".join(lacking) or f"objections of {', '.join(former) or 'no former system'} were compared within a day"
    return Condition("consents", not lacking, detail, remedy or "none")


def _why_stale(runs: Mapping[str, Parity], cluster: str, now: datetime) -> str:
    """Empty where nothing is wrong."""
    if (run := runs.get(cluster)) is None:
        return "its objections were never compared with what its former system holds"
    if run.open_differences:
        return f"{run.open_differences} open differences"
    return "" if now - run.at <= PARITY_IS_FRESH else f"compared at {run.at:%Y-%m-%d %H:%M} UTC, longer ago than a day"
