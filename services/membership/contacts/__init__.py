"""Who is written to for each source record, under which address: composed of the record and of its member's view."""
