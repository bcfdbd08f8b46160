"""What the ``traboule`` command does for those who run the house, the same for every service."""
