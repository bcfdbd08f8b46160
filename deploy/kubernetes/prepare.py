"""``python -m deploy.kubernetes.prepare``: see :mod:`deploy.preparing`.

Former systems and staff tools are let in by ``traboule former-systems add`` alone.
"""

from deploy.preparing import run

if __name__ == "__main__":
    raise SystemExit(run())
