"""Prometheus metrics of the messaging core. Labels are queues and reasons: few, and never a member's."""

from prometheus_client import Counter, Gauge, Histogram

EVENTS = Counter("traboule_events_total", "Events by what became of them", ["queue", "outcome"])
TRANSACTION_SECONDS = Histogram(
    "traboule_transaction_seconds",
    "Time of one group commit",
    ["queue"],
    buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
TRANSACTION_EVENTS = Histogram(
    "traboule_transaction_events", "Events in one group commit", ["queue"], buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
)
HOLDING = Gauge("traboule_holding", "1 while the consumer waits for its database", ["queue"])
RELAYED = Counter("traboule_relayed_total", "Outbox messages confirmed by the broker")
RELAY_FAILURES = Counter("traboule_relay_failures_total", "Publishes that the broker did not confirm", ["error"])
RELAY_ACTIVE = Gauge("traboule_relay_active", "1 in the replica that holds the relay's lock")
