"""Who has a seat, who waits for one, and in which order: the rule, its log, and the rows that it decides."""
