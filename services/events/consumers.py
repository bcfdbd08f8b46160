"""What the events service hears: the routing table."""

from functools import partial

from schemas.charges import RegistrationBilled
from schemas.cutover import WriteAccessChanged
from schemas.event_requests import AttendanceNoted, RegistrationAnswered, RegistrationRequested
from schemas.events import EventRecorded, EventsManifestRecorded, RegistrationRecorded
from schemas.membership import MemberDescribed, MembersMerged, MembersSeparated, MergeConflictChanged
from services.common.member_records import apply_merges, apply_separations
from services.conflicts.handlers import keep_conflicts
from services.cutover.fence import Fenced
from services.cutover.manifests import PREFETCH, keep_manifests
from services.cutover.noop import matches_current
from services.cutover.writers import keep_write_access
from services.events.attendance.described import keep_described
from services.events.cutover.confirmations import confirms
from services.events.mirror import handlers
from services.events.mirror.parity import KINDS
from services.events.seats.bills import keep_bills
from services.events.usecases import answered, noted, requested
from shared.messaging.subscription import Subscription

_unchanged = partial(matches_current, KINDS)

SUBSCRIPTIONS = (
    Subscription("events.event-recorded", EventRecorded, Fenced(handlers.record_events, _unchanged)),
    Subscription(
        "events.registration-recorded",
        RegistrationRecorded,
        Fenced(handlers.record_registrations, _unchanged, confirms),
    ),
    Subscription("events.manifest-recorded", EventsManifestRecorded, keep_manifests, prefetch=PREFETCH),
    Subscription("events.write-access-changed", WriteAccessChanged, keep_write_access),
    Subscription("events.registration-requested", RegistrationRequested, requested.register),
    Subscription("events.registration-answered", RegistrationAnswered, answered.answer),
    Subscription("events.registration-billed", RegistrationBilled, keep_bills),
    Subscription("events.attendance-noted", AttendanceNoted, noted.note),
    Subscription("events.member-described", MemberDescribed, keep_described),
    Subscription("events.members-merged", MembersMerged, apply_merges),
    Subscription("events.members-separated", MembersSeparated, apply_separations),
    Subscription("events.merge-conflict-changed", MergeConflictChanged, keep_conflicts),
)
