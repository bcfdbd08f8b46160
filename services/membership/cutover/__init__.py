"""What membership gives to cutover: parity, rehearsals, write-back, republishing."""
