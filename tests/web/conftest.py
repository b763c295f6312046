"""The site over a small press, and a client that asks it as a browser on this machine does."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from digests.store.editions import open_digests
from tests.conftest import place
from tests.web.press import app_of, filled, settings_in, site_of

BASE = "http://127.0.0.1:8420"


@pytest.fixture(scope="session")
def press_sqlite(request, tmp_path_factory) -> Iterator[tuple[Path, str]]:
    """The folder of the press and the address of its store, to be copied."""
    yield from make_press(request, "sqlite", tmp_path_factory)


@pytest.fixture(scope="session")
def press_postgresql(request, tmp_path_factory, postgresql_server) -> Iterator[tuple[Path, str]]:
    """As `press_sqlite`; it ends before the server does."""
    yield from make_press(request, "postgresql", tmp_path_factory)


def make_press(request, kind: str, tmp_path_factory) -> Iterator[tuple[Path, str]]:
    folder = tmp_path_factory.mktemp("press")
    with place(request, kind, tmp_path_factory.mktemp("store")) as store_url:
        filled(folder, store_url=store_url)[1].dispose()
        yield folder, store_url


@pytest.fixture
def press(request, tmp_path, database):
    """Settings, store and folder of the press, copied for the test."""
    folder, template = request.getfixturevalue(f"press_{database}")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    with place(request, database, tmp_path, template=template) as store_url:
        engine = open_digests(store_url)
        yield settings_in(tmp_path, store_url=store_url), engine, tmp_path
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
