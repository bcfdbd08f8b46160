"""``traboule import``: what a former system exported, read and published."""
