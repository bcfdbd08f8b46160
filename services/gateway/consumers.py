"""What the gateway hears, on membership's queues: answers to its requests, stages of former systems, what waits."""

from schemas.billing import (
    BillingCutoverAnswered,
    BillingStageChanged,
)
from schemas.communications import (
    CommunicationsCutoverAnswered,
    CommunicationsStageChanged,
)
from schemas.events import (
    EventsCutoverAnswered,
    EventsStageChanged,
)
from schemas.membership import (
    MembershipCutoverAnswered,
    MembershipStageChanged,
)
from schemas.waiting import (
    BillingWaitingChanged,
    CommunicationsWaitingChanged,
    EventsWaitingChanged,
    MembershipWaitingChanged,
)
from services.gateway import requests
from services.gateway.stages import keep_stages
from services.gateway.waiting import keep_waiting
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription("membership.membership-stage-changed", MembershipStageChanged, keep_stages),
    Subscription("membership.billing-stage-changed", BillingStageChanged, keep_stages),
    Subscription("membership.events-stage-changed", EventsStageChanged, keep_stages),
    Subscription("membership.communications-stage-changed", CommunicationsStageChanged, keep_stages),
    Subscription("membership.membership-waiting-changed", MembershipWaitingChanged, keep_waiting),
    Subscription("membership.billing-waiting-changed", BillingWaitingChanged, keep_waiting),
    Subscription("membership.events-waiting-changed", EventsWaitingChanged, keep_waiting),
    Subscription("membership.communications-waiting-changed", CommunicationsWaitingChanged, keep_waiting),
    Subscription("membership.membership-cutover-answered", MembershipCutoverAnswered, requests.keep_answers),
    Subscription("membership.billing-cutover-answered", BillingCutoverAnswered, requests.keep_answers),
    Subscription("membership.events-cutover-answered", EventsCutoverAnswered, requests.keep_answers),
    Subscription("membership.communications-cutover-answered", CommunicationsCutoverAnswered, requests.keep_answers),
)
