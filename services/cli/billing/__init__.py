"""``traboule billing``: grids, what they would bring, decisions, runs and documents."""
