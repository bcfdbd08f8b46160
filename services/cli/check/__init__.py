"""``traboule check``: what a service would say of a producer's messages."""
