"""``traboule former-systems``: who may publish on the broker, and with which password."""
