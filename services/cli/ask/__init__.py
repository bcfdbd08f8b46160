"""``traboule ask``: every query that a service answers, by its declaration."""
