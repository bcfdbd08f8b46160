"""Messages in and out: consumer, inbox, outbox, relay, failures, dead letters."""
