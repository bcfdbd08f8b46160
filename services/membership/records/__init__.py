"""Source records: what former systems wrote, kept as written, and what a command may change of them."""
