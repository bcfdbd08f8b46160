"""Runs as they are listed, and documents that were announced."""

from dataclasses import replace

from schemas.base import RecordRef
from tests.support.billing import Billing

BOTH = RecordRef(cluster="clustr-numerique", record_id="1"), RecordRef(cluster="numelink", record_id="2")
CLUSTERS = ("clustr-numerique", "numelink")


def franchised(office: Billing) -> Billing:
    """The merged body does not show VAT, and may bill what is exempt."""
    merged_body = office.issuers["merged"]
    settings = merged_body.settings[0].model_copy(update={"regime": "franchise"})
    issuer = merged_body.model_copy(update={"settings": (settings,)})
    return replace(office, issuers={**office.issuers, "merged": issuer})
