"""The services: each a process with its own database. None imports another; ``house`` is what they are made with."""

SERVICES = ("membership", "billing", "events", "communications")

EXTENSIONS = {"membership": ("pg_trgm", "unaccent")}
"""What a service's schema needs of PostgreSQL, and a superuser has to allow."""
