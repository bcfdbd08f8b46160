"""Routes, one file for each area: members, records, identity, overrides, conflicts, cutover."""
