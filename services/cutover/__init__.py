"""Moving former systems over: the same rules in every service, which keeps them in its own database."""
