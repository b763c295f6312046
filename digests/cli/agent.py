"""`watcher mcp`: serves the stored news to an agent over the Model Context Protocol; by default nothing is written."""

from typing import Annotated

from typer import Option

from digests.store.editions import open_digests, open_digests_read_only
from watcher.cli.options import Config, closing_store, load_settings
from watcher.errors import WatcherError
from watcher.plugins import install_command


def serve_agent(
    write: Annotated[bool, Option("--write", help="Let the agent keep stories and articles, with notes.")] = False,
    config: Config = None,
) -> None:
    """
    Serve the stored news to an agent: an AI program that calls tools over MCP, the Model Context Protocol.

    The agent starts this command and talks to it over standard input and output. It can list editions, show stories,
    search articles and check quotes. It can change nothing: the store is opened for reading only. With --write, it can
    also keep stories and articles for you, and nothing else.
    """
    try:
        from digests.mcp.server import make_server  # late: the package mcp is an extra
    except ModuleNotFoundError as error:
        raise WatcherError(
            "watcher mcp needs the package mcp, which is not installed", hint=install_command("mcp")
        ) from error
    settings = load_settings(config)
    url = settings.store.url
    with closing_store(open_digests(url, make=False) if write else open_digests_read_only(url)) as engine:
        make_server(settings, engine, can_write=write).run("stdio")
