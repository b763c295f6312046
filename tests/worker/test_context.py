"""The worker context: what the daemon's requests say about who makes them."""

from importlib.metadata import metadata, version

import pytest

from watcher.net.client import Client
from watcher.worker.context import user_agent


def test_the_user_agent_names_the_users_contact():
    assert user_agent("you@example.org") == f"Watcher/{version('watcher-digests')} (+you@example.org)"


@pytest.mark.parametrize("contact", ["", "https://example.org/bot"])
async def test_without_a_contact_the_user_agent_has_only_what_the_package_says(contact):
    pages = [line.partition(", ")[2] for line in metadata("watcher-digests").get_all("Project-URL") or ()]

    agent = user_agent(contact)

    async with Client(user_agent=agent):  # which refuses what HTTP cannot carry
        place = agent.partition(" (+")[2].removesuffix(")")
        assert place == contact if contact else place in ("", *pages)
