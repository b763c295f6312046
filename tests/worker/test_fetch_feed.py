"""Sources are fetched by the scheme of their URL."""

from __future__ import annotations

from watcher.net.mailbox import READERS
from watcher.text.urls import DEFAULT_PORTS, MAIL_PORTS
from watcher.worker.fetch_feed import FETCHERS

FOLDERS = {"maildir", *MAIL_PORTS}


def test_each_scheme_of_a_source_has_a_fetcher_and_each_of_a_folder_a_reader():
    assert set(FETCHERS) == {*DEFAULT_PORTS, *FOLDERS}
    assert set(READERS) == FOLDERS
