"""The services: each a process with its own database. None imports another; ``house`` is what they are made with."""

SERVICES = ("membership", "billing", "events", "communications")
