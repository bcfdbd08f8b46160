"""``python -m deploy.kubernetes.prepare``: see :mod:`deploy.provisioning.prepare_job`.

Former systems and staff tools are let in by ``traboule former-systems add`` alone.
"""

from deploy.provisioning.prepare_job import run

if __name__ == "__main__":
    raise SystemExit(run())
