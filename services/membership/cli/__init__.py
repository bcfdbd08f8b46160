"""The commands of ``traboule`` that work with the membership service's own data."""
