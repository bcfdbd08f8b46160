"""The services: each a process with its own database. None imports another; ``common`` is what they are made with."""

VERSION = "0.1.0"
"""Of the program. It is told here, and not by what was installed: in the image nothing of ours is."""

SERVICES = ("membership", "billing", "events", "communications")

EXTENSIONS = {"membership": ("pg_trgm", "unaccent"), "billing": ("btree_gist",)}
"""What a service's schema needs of PostgreSQL, and a superuser has to allow."""
