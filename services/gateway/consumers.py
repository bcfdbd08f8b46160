"""What the gateway hears, on membership's queues: answers to its requests, and where former systems stand."""

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
from services.gateway import requests
from services.gateway.stages import keep_stages
from shared.messaging.subscription import Subscription

SUBSCRIPTIONS = (
    Subscription("membership.membership-stage-changed", MembershipStageChanged, keep_stages),
    Subscription("membership.billing-stage-changed", BillingStageChanged, keep_stages),
    Subscription("membership.events-stage-changed", EventsStageChanged, keep_stages),
    Subscription("membership.communications-stage-changed", CommunicationsStageChanged, keep_stages),
    Subscription("membership.membership-cutover-answered", MembershipCutoverAnswered, requests.keep_answers),
    Subscription("membership.billing-cutover-answered", BillingCutoverAnswered, requests.keep_answers),
    Subscription("membership.events-cutover-answered", EventsCutoverAnswered, requests.keep_answers),
    Subscription("membership.communications-cutover-answered", CommunicationsCutoverAnswered, requests.keep_answers),
)
