"""Private PostgreSQL and RabbitMQ nodes for the demo, the tests, the faults and the benchmarks.

No Docker, and nothing left behind. Read in this order: `nodes` (what callers use), `database` and `broker` (one server
each), `runs` (folders and ports), `guard` (the process that owns the servers and outlives a killed owner),
`packages` (where the binaries come from).
"""
