"""What communications mirrors of former systems: consents and mailings, kept, compared, rehearsed, republished."""
