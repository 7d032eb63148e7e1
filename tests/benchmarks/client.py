"""One measurement in a process of its own: client and worker together, so that their CPU is known apart from the server's.

Also of use by hand, against any server that speaks the interface:

    python -m tests.benchmarks.client --address 127.0.0.1:7833 --load 'one activity' --at-once 50 [--server-pid PID]
"""

from __future__ import annotations

import argparse
import gc
import sys

import uvloop

from tests.benchmarks.loads import FULL_LOADS, Driver, Load, Result, measure

CLIENTS = ("raw", "plain", "sdk")


def driver_of(client: str, address: str, domain: str) -> Driver:
    """raw: raw messages, sticky; plain: raw messages, whole histories; sdk: the SDK."""
    if client == "sdk":
        from tests.benchmarks.sdk_driver import SdkDriver

        return SdkDriver(address, domain)
    from tests.benchmarks.raw_driver import RawDriver

    return RawDriver(address, domain, sticky=client == "raw")


async def run(driver: Driver, load: Load, seconds: float, server_pid: int | None) -> Result:
    """Measures one load."""
    await driver.open()
    try:
        return await measure(driver, load, seconds, server_pid)
    finally:
        await driver.close()


def main(arguments: list[str]) -> None:
    """Prints one result as JSON."""
    kinds = {load.name: load for load in FULL_LOADS}
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks.client", description="Measures one load.")
    parser.add_argument("--address", default="127.0.0.1:7833")
    parser.add_argument("--domain", default="default", help="registered if it is not there")
    parser.add_argument("--client", choices=CLIENTS, default="raw")
    parser.add_argument("--load", choices=kinds, default="one activity")
    parser.add_argument("--at-once", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=5.0)
    parser.add_argument("--server-pid", type=int, help="whose CPU time to count, with its descendants'")
    options = parser.parse_args(arguments)
    kind = kinds[options.load]
    load = Load(kind.name, kind.kind, options.at_once, kind.activities)
    gc.set_threshold(50_000, 20, 50)
    driver = driver_of(options.client, options.address, options.domain)
    result = uvloop.run(run(driver, load, options.seconds, options.server_pid))
    print(result.to_json())


if __name__ == "__main__":
    main(sys.argv[1:])
