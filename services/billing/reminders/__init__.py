"""Documents that are overdue, and who was reminded of which, when and how often."""
