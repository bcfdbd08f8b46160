"""What travels on the broker: frozen pydantic facts inside CloudEvents 1.0 envelopes, one module per publisher."""
