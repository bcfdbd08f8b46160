"""Pages for staff: what our own API says, as French or English HTML. README.md says how a page comes to be."""
