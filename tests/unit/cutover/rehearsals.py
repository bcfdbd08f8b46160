"""Rehearsals of each service, and differences of two sides."""

from datetime import UTC, datetime

JUNE = datetime(2026, 6, 1, tzinfo=UTC)
