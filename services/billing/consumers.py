"""What billing hears: the routing table."""

from functools import partial

from schemas.billing import BillingManifestRecorded, InvoiceRecorded, PaymentRecorded
from schemas.charges import RegistrationPriced
from schemas.cutover import WriteAccessChanged
from schemas.membership import MemberDescribed, MembersMerged, MembersSeparated, MergeConflictChanged
from services.billing.charges.repository import keep_prices
from services.billing.members.repository import keep_descriptions
from services.billing.mirror import handlers
from services.billing.mirror.confirmations import confirms
from services.billing.mirror.parity import KINDS
from services.common.member_records import apply_merges, apply_separations
from services.conflicts.handlers import keep_conflicts
from services.cutover.fence import Fenced
from services.cutover.manifests import PREFETCH, keep_manifests
from services.cutover.noop import matches_current
from services.cutover.writers import keep_write_access
from shared.messaging.subscription import Subscription

_unchanged = partial(matches_current, KINDS)

SUBSCRIPTIONS = (
    Subscription(
        "billing.invoice-recorded",
        InvoiceRecorded,
        Fenced(handlers.record_invoices, _unchanged, confirms),
    ),
    Subscription("billing.payment-recorded", PaymentRecorded, Fenced(handlers.record_payments, _unchanged)),
    Subscription("billing.manifest-recorded", BillingManifestRecorded, keep_manifests, prefetch=PREFETCH),
    Subscription("billing.write-access-changed", WriteAccessChanged, keep_write_access),
    Subscription("billing.registration-priced", RegistrationPriced, keep_prices),
    Subscription("billing.member-described", MemberDescribed, keep_descriptions),
    Subscription("billing.members-merged", MembersMerged, apply_merges),
    Subscription("billing.members-separated", MembersSeparated, apply_separations),
    Subscription("billing.merge-conflict-changed", MergeConflictChanged, keep_conflicts),
)
