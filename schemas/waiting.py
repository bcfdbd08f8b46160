"""What waits for a person in each service, as the service announces it when it changes: numbers, and nobody's data."""

from typing import Annotated, ClassVar

from pydantic import Field

from schemas.base import Announced, Key, Moment, Part
from schemas.cutover import Count


class WaitingInCluster(Part):
    """What waits about one cluster's former system for this service."""

    cluster: Key
    late: Count = Field(default=0, description="Messages in quarantine")
    differences: Count = Field(default=0, description="Of the newest comparison of the mirror, those not accepted")


class WaitingChanged(Announced):
    """What waits for a person in one of our services now: all of it, each time."""

    key: ClassVar[str] = "waiting-changed"

    parked: Count = Field(default=0, description="Dead letters that nobody replayed or discarded yet")
    parked_since: Moment | None = Field(default=None, description="When the oldest of these was parked")
    clusters: Annotated[tuple[WaitingInCluster, ...], Field(max_length=1_000)] = Field(
        default=(), description="Those of which something waits, by name"
    )


class MembershipWaitingChanged(WaitingChanged):
    """What waits for a person in membership."""

    service: ClassVar[str] = "membership"


class BillingWaitingChanged(WaitingChanged):
    """What waits for a person in billing."""

    service: ClassVar[str] = "billing"


class EventsWaitingChanged(WaitingChanged):
    """What waits for a person in events."""

    service: ClassVar[str] = "events"


class CommunicationsWaitingChanged(WaitingChanged):
    """What waits for a person in communications."""

    service: ClassVar[str] = "communications"
