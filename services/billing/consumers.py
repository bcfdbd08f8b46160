"""What billing hears: the routing table."""

from schemas.billing import BillingManifestRecorded, InvoiceRecorded, PaymentRecorded
from schemas.cutover_requests import CutoverRequested
from schemas.membership import MembersMerged, MembersSeparated, MergeConflictChanged
from services.billing import handlers
from services.conflicts.handlers import keep_conflicts
from services.cutover.echoes import say_what_is_held
from services.cutover.fence import Fenced
from services.cutover.manifests import PREFETCH, keep_manifests
from services.cutover.requests import Answering
from services.following import follow_merges, follow_separations
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription("billing.invoice-recorded", InvoiceRecorded, Fenced(handlers.record_invoices, say_what_is_held)),
    Subscription("billing.payment-recorded", PaymentRecorded, Fenced(handlers.record_payments, say_what_is_held)),
    Subscription("billing.manifest-recorded", BillingManifestRecorded, keep_manifests, prefetch=PREFETCH),
    Subscription("billing.members-merged", MembersMerged, follow_merges),
    Subscription("billing.members-separated", MembersSeparated, follow_separations),
    Subscription("billing.merge-conflict-changed", MergeConflictChanged, keep_conflicts),
    Subscription("billing.cutover-requested", CutoverRequested, Answering("billing")),
)
