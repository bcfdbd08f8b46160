"""Gatherings: mirrors the events and registrations that former systems publish, and announces what it holds."""
