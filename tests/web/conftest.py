"""The site over a small press, and a client that asks it as a browser on this machine does."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from tests.web.press import app_of, filled, site_of

BASE = "http://127.0.0.1:8420"


@pytest.fixture
def press(tmp_path, store_url):
    """Settings, store and folder of the press."""
    settings, engine = filled(tmp_path, store_url=store_url)
    yield settings, engine, tmp_path
    engine.dispose()


@pytest.fixture
def site(press):
    return site_of(*press[:2])


@pytest.fixture
def client(site):
    """Return a client of the site."""
    return client_of(app_of(site))


def client_of(app, *, peer: str = "127.0.0.1", **headers: str) -> httpx.AsyncClient:
    transport = httpx.ASGITransport(app, client=(peer, 40_000))
    return httpx.AsyncClient(transport=transport, base_url=BASE, headers=headers)


@pytest.fixture(scope="session")
def served_folder(tmp_path_factory) -> Path:
    """A folder with the settings and the store of the press, for a site that is served by a process of its own."""
    folder = tmp_path_factory.mktemp("served")
    filled(folder)[1].dispose()
    return folder
