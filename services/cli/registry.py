"""Every service by its name. Each is imported when it is asked for: a process carries its own alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.common.definition import ServiceDefinition
    from shared.runtime.settings import ServiceSettings


def settings_type(service: str) -> type[ServiceSettings]:
    """The class of a service's settings. Raises LookupError."""
    match service:
        case "membership":
            from services.membership.settings import MembershipSettings

            return MembershipSettings
        case "billing":
            from services.billing.settings import BillingSettings

            return BillingSettings
        case "events":
            from services.events.settings import EventsSettings

            return EventsSettings
        case "communications":
            from services.communications.settings import CommunicationsSettings

            return CommunicationsSettings
        case _:
            raise LookupError(f"there is no service {service!r}")


def definition_of(service: str) -> ServiceDefinition[Any]:
    """A service whole: it takes a second to import. Raises LookupError."""
    match service:
        case "membership":
            from services.gateway.definition import DEFINITION

            return DEFINITION
        case "billing":
            from services.billing.definition import DEFINITION

            return DEFINITION
        case "events":
            from services.events.definition import DEFINITION

            return DEFINITION
        case "communications":
            from services.communications.definition import DEFINITION

            return DEFINITION
        case _:
            raise LookupError(f"there is no service {service!r}")
