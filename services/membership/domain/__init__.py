"""Pure rules: understanding what was written, linking source records, consolidating members."""
