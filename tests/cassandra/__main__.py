"""A Cassandra by hand: `python -m tests.cassandra start|stop|list`."""

from __future__ import annotations

import argparse
import sys

from tests.cassandra import distribution, provision


def main() -> int:
    """Runs one command; returns the exit code."""
    parser = argparse.ArgumentParser(prog="python -m tests.cassandra", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("start", help="start a node that goes on until `stop`, and say how tests are pointed to it")
    commands.add_parser("stop", help="stop it, and remove its data")
    commands.add_parser("fetch", help="fetch the jars, if they are not there")
    commands.add_parser("list", help="write jars.txt anew from pom.xml")
    command = parser.parse_args().command
    try:
        if command == "start":
            print(f"export {provision.VARIABLE}={provision.start_for_developer().contact_points}")
        elif command == "stop":
            print("stopped" if provision.stop_for_developer() else "there was none")
        elif command == "fetch":
            print(distribution.jars())
        else:
            distribution.LIST.write_text(distribution.make_list(), encoding="utf-8")
    except distribution.Unavailable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
