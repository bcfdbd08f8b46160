"""Who may say what. The broker validates ``user_id`` when it is there, but accepts a message without one."""

from collections.abc import Container

from shared.messaging.delivery import Delivery


def forgery(delivery: Delivery, publishers: Container[str]) -> tuple[str, str] | None:
    """Why a delivery is not to be believed, as (reason, detail), or None.

    ``publishers`` are the users that may publish to this queue. The routing key's first two words name the
    publisher, and the broker's ``user_id`` must be the same: <https://www.rabbitmq.com/docs/validated-user-id>.
    """
    if not delivery.user:
        return "missing-user-id", "the AMQP property user_id is missing: set it to the broker user's name"
    publisher = ".".join(delivery.routing_key.split(".", 2)[:2])
    if delivery.user != publisher:
        return "foreign-routing-key", f"user {delivery.user} published under {publisher}'s routing key"
    if publisher not in publishers:
        return "unknown-publisher", f"{publisher} is not a configured publisher of {delivery.queue}"
    return None


def forged_source(source: str, user: str | None) -> tuple[str, str] | None:
    """Why an event's ``source`` is not its publisher's, as (reason, detail), or None."""
    expected = "/" + (user or "").replace(".", "/", 1)
    if source != expected:
        return "forged-source", f"source must be {expected}, the publisher's own"
    return None
