"""URLs: their host, what it is visited under, their normal form."""

import time
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.text.urls import _normalize_parts, hide_secrets, host_key, host_of, normalize_url, registrable_domain


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


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("https://www.example.org/feed", "example.org"),
        ("https://example.org:8443/feed", "example.org"),
        ("https://news.bbc.co.uk/feed", "bbc.co.uk"),
        ("https://com.example.org/feed", "example.org"),
        ("https://co.uk/feed", "co.uk"),
        ("https://one.github.io/feed", "github.io"),
        ("http://192.0.2.7:8000/feed", "192.0.2.7"),
        ("http://[::1]:8000/feed", "[::1]"),
        ("http://[::1]/feed", "[::1]"),
        ("http://localhost:8000/feed", "localhost"),
        ("no url", ""),
    ],
)
def test_the_domain_of_a_host_is_what_its_owner_has_registered(url, domain):
    assert registrable_domain(url) == domain


@given(
    st.sampled_from(("http://", "https://", "HTTPS://", "ftp://", "")),
    st.text("abzAZ019.-_:@[]é", max_size=20),
    st.sampled_from(("", "/", "/a?b#c", "?q", "#f", ":80/", ":443/x", ":8080")),
)
def test_a_host_is_read_as_the_standard_library_reads_it(scheme, place, rest):
    url = scheme + place + rest
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        assert host_of(url) == ""
        return
    if ":" in host:
        host = f"[{host}]"
    expected = host if port is None or port == {"http": 80, "https": 443}.get(parts.scheme) else f"{host}:{port}"

    assert host_of(url) == expected


@given(
    st.sampled_from(("http://", "https://", "HTTPS://")),
    st.text("abzAZ019.-:", min_size=1, max_size=12),
    st.sampled_from(("", ":80", ":443", ":8080", ":65535", ":70000", ":08")),
    st.text("/abZ9_.~-%#?=&;+ é", max_size=12),
)
def test_a_plain_url_has_the_normal_form_that_its_parts_make(scheme, host, port, rest):
    url = f"{scheme}{host}{port}/{rest}" if rest else f"{scheme}{host}{port}"

    assert normalize_url(url) == _normalize_parts(url)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://me:word@a.example/feed", "https://a.example/feed"),
        ("HTTPS://me:w@rd@a.example:8080/feed", "HTTPS://a.example:8080/feed"),
        ("https://a.example/feed?key=abc", "https://a.example/feed?key=***"),
        ("https://a.example/feed?n=1&apiKey=abc&x=2#token=def", "https://a.example/feed?n=1&apiKey=***&x=2#token=***"),
        ("https://a.example/?X-Amz-Signature=ab&access_token=c", "https://a.example/?X-Amz-Signature=***&access_token=***"),
        ("https://a.example/?auth[]=ab&sig=c&password=d", "https://a.example/?auth[]=***&sig=***&password=***"),
        ("got (https://me:w@a.example/?token=c), that is all", "got (https://a.example/?token=*** that is all"),
        ("https://a.example/?q=key&author=me&design=x&keyword=y", "https://a.example/?q=key&author=me&design=x&keyword=y"),
        ("https://a.example/@me/feed, write to me@a.example", "https://a.example/@me/feed, write to me@a.example"),
        ("https://***@a.example/ and https://***@me:word@a.example/", "https://***@a.example/ and https://a.example/"),
        ("postgresql://me:env:WORD@a.example/news", "postgresql://me:env:WORD@a.example/news"),
    ],
)  # fmt: skip
def test_what_is_secret_in_an_address_is_hidden_and_nothing_else(url, shown):
    assert hide_secrets(url) == shown
    assert hide_secrets(shown) == shown


@pytest.mark.parametrize("piece", ["?", "&a", "a.", "://", "http://", "key=", "&key=", "@", "***@", "[]", "?a[]"])
def test_hiding_costs_linear_time(piece):
    text = "https://" + piece * (100_000 // len(piece))
    before = time.process_time()

    hide_secrets(text)

    assert time.process_time() - before < 1
