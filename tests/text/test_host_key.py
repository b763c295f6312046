"""Under which host a URL is visited."""

import pytest

from watcher.text.urls import host_key


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.example.org/feed", "www.example.org"),
        ("https://example.org:8443/feed", "example.org:8443"),
        ("https://one.substack.com/feed", "substack.com"),
        ("https://substack.com/feed", "substack.com"),
        ("https://a.b.blogspot.com/feeds/posts/default", "blogspot.com"),
        ("https://notsubstack.com/feed", "notsubstack.com"),
        ("http://[::1]:8000/feed", "[::1]:8000"),
        ("no url", ""),
    ],
)
def test_a_shared_platform_is_visited_as_one_host(url, key):
    assert host_key(url) == key
