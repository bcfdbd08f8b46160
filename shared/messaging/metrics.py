"""Prometheus metrics of the messaging core. Labels are queues and reasons: few, and never a member's."""

from collections.abc import Callable

from prometheus_client import Counter, Gauge, Histogram

LAG = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200)
"""Seconds: from "at once" to "the broker was away for two hours"."""

OUTCOMES = ("applied", "duplicate", "parked", "retried")
EVENTS = Counter("traboule_facts_total", "Events by what became of them", ["queue", "outcome"])
PARKED = Counter("traboule_parked_total", "Events set aside, by the reason to group by", ["queue", "reason"])
RETRIED = Counter("traboule_retried_total", "Events put off to be tried again, by error", ["queue", "reason"])
TRANSACTION_SECONDS = Histogram(
    "traboule_transaction_seconds",
    "Time of one group commit",
    ["queue"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
TRANSACTION_EVENTS = Histogram(
    "traboule_transaction_events", "Events in one group commit", ["queue"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
APPLIED_LAG = Histogram(
    "traboule_applied_lag_seconds",
    "From a message's publish, where it tells that, to the commit of what it changed",
    ["queue"],
    buckets=LAG,
)
ORIGIN_LAG = Histogram(
    "traboule_origin_lag_seconds",
    "From the former system's publish to the commit of what followed here; at membership that is the view",
    ["queue"],
    buckets=LAG,
)
PAUSED = Gauge("traboule_consumer_paused", "1 while the consumer waits for its database", ["queue"])
IN_FLIGHT = Gauge("traboule_messages_in_flight", "Messages taken from the queue and not acknowledged yet", ["queue"])
IN_FLIGHT_AGE = Gauge("traboule_in_flight_age_seconds", "How long a lane has been settling its batch", ["queue"])
MISSING = Counter(
    "traboule_missing_deliveries_total", "Deliveries that never reached their lane: given back", ["queue"]
)
PREFETCH = Gauge("traboule_prefetch", "The most messages that a lane takes in hand", ["queue"])
RELAYED = Counter("traboule_outbox_published_total", "Outbox messages confirmed by the broker")
RELAY_FAILURES = Counter("traboule_relay_failures_total", "Publishes that the broker did not confirm", ["error"])
QUERIES = Counter("traboule_queries_total", "Questions to this service, by their outcome", ["service", "outcome"])
QUESTIONS = Counter("traboule_questions_total", "Questions to other services, by their end", ["service", "outcome"])
RELAY_ACTIVE = Gauge("traboule_relay_active", "1 in the replica that holds the relay's lock")


def watch_consumer(queue: str, prefetch: int, in_flight: Callable[[], int], in_flight_age: Callable[[], float]) -> None:
    """Show how full a lane's hand is, and how old. It is counted when somebody asks, so it costs a message nothing."""
    # A counter that appears with its first hundred is not seen to grow; one that was at nought is.
    for outcome in OUTCOMES:
        EVENTS.labels(queue, outcome)
    PAUSED.labels(queue).set(0)
    PREFETCH.labels(queue).set(prefetch)
    IN_FLIGHT.labels(queue).set_function(in_flight)
    IN_FLIGHT_AGE.labels(queue).set_function(in_flight_age)
    MISSING.labels(queue)
