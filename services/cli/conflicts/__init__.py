"""``traboule conflicts``: what merges brought together twice, and who resolves it."""
