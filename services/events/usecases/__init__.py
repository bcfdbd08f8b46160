"""What staff, and people with a link, do with gatherings and bookings: load, decide, save, announce."""
