"""What carries out each operation of events."""

from typing import Final

from schemas import events_checkin as entering
from schemas import events_operations as declared
from schemas import events_passes, events_public
from schemas import events_registrations as registering
from services.events.usecases import checking_in, gatherings, passes, public, registrations, taking_over
from services.operations.binding import Bound

OPERATIONS: Final = (
    Bound(declared.GATHERINGS, gatherings.gatherings),
    Bound(declared.GATHERING, gatherings.gathering),
    Bound(declared.PLAN, gatherings.plan),
    Bound(declared.CHANGE_SESSION, gatherings.change_session),
    Bound(declared.CANCEL_GATHERING, gatherings.call_off),
    Bound(registering.REGISTRATIONS, registrations.registrations),
    Bound(registering.REGISTRATION, registrations.registration),
    Bound(registering.REGISTER, registrations.register, registrations.register_all),
    Bound(registering.CANCEL, registrations.cancel),
    Bound(registering.ANSWER, registrations.answer),
    Bound(registering.PREFER, registrations.prefer),
    Bound(registering.DECIDE, registrations.decide_twice),
    Bound(registering.REPLACE, registrations.replace_attendee),
    Bound(declared.TAKE_OVER, taking_over.take_over),
    Bound(entering.EXPECTED, checking_in.expected),
    Bound(entering.ATTENDANCE, checking_in.attendance),
    Bound(entering.CHECK_IN, checking_in.check_in),
    Bound(entering.UNDO_CHECK_IN, checking_in.undo),
    Bound(events_passes.CHECK_IN_PASS, passes.make),
    Bound(events_passes.END_CHECK_IN_PASS, passes.end),
    Bound(events_passes.CHECK_IN_PASSES, passes.of_session),
    Bound(events_passes.CHECK_IN_LIST, passes.check_in_list),
    Bound(events_public.PUBLIC_SESSION, public.session),
    Bound(events_public.LINKED_REGISTRATION, public.registration),
    Bound(events_public.PUBLIC_FEED, public.feed),
    Bound(events_public.PERSONAL_FEED, public.own_feed),
)
