"""What events mirrors of former systems: gatherings and registrations, kept, compared, rehearsed, republished."""
