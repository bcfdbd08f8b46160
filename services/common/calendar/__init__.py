"""Gatherings in people's calendars (RFC 5545): invitations by mail (RFC 5546), and feeds that calendars read."""
