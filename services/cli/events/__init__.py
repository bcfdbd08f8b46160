"""``traboule events``: gatherings, seats, who waits, and who comes."""
