"""What billing mirrors of former systems: invoices and payments, kept, compared, rehearsed, republished."""
