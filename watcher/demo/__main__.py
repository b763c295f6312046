"""`python -m watcher.demo`: prints the demo outlets as settings, then serves them until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
from contextlib import suppress
from datetime import UTC, datetime

from watcher.demo.server import DemoServer


async def serve(port: int, day: int) -> None:
    async with DemoServer(now=datetime.now(UTC), port=port, day=day) as press:
        print(press.settings_toml(), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m watcher.demo", description="Serve the sample press on loopback.")
    parser.add_argument("--port", type=int, default=0, help="of every outlet's address; a free one if not given")
    parser.add_argument("--day", type=int, default=1, help="how many days have been printed")
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(arguments.port, arguments.day))


if __name__ == "__main__":
    main()
