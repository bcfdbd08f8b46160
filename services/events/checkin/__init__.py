"""Check-in of people who registered: their tickets, and what was scanned or typed."""
