"""The account of a source record: what it was billed, what it paid, what it owes, and until when it is paid."""
