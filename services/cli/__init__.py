"""The ``traboule`` command: one package for each group of commands."""
