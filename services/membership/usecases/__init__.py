"""One file for each thing that membership does: load, decide, save, publish."""
