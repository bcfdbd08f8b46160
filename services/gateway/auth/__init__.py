"""API keys: who may call, and what a role may do."""
