"""Documents: invoices, credit notes and dues notices. Issued once, numbered without a gap, and never altered."""
