"""``python -m tests.benchmarks``: measure everything in one run, print one table, write ``.local/bench.json``."""

import argparse
import sys
import time

from tests.benchmarks import lanes
from tests.benchmarks.stage import Stage, stage

PARTS = ("lanes",)


def main() -> int:
    """Run what was asked for."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer facts, one round: under 90 s, for a first look")
    parser.add_argument("--rounds", type=int, help="rounds of every lane (3, with --quick 1)")
    parser.add_argument("--only", nargs="+", metavar="PART", help=f"of {', '.join(PARTS)} or lanes by letter")
    parser.add_argument("--profile", metavar="LANE", help="run lane a or b under cProfile and print what takes time")
    parser.add_argument("--env", nargs="+", default=[], metavar="NAME=VALUE", help="other settings for our services")
    arguments = parser.parse_args()
    print(arguments)
    with stage() as where:
        where.extra = dict(one.split("=", 1) for one in arguments.env)
        letters = arguments.only
        chosen = [lane for lane in lanes.LANES if not letters or lane.letter in letters]
        if arguments.profile:
            from tests.benchmarks.profiled import table
            chosen = [lane for lane in lanes.LANES if lane.letter == arguments.profile]
            lanes.measure(where, chosen, 1, quick=arguments.quick, say=print, profile=True)
            print(table(where.house.folder / f"{arguments.profile}.profile"))
            return 0
        results = lanes.measure(where, chosen, arguments.rounds or (1 if arguments.quick else 3), quick=arguments.quick, say=print)
        for r in lanes.ratios(results): print(r)
    return 0


if __name__ == "__main__":
    sys.exit(main())
