"""Chains of redirects, as a pure value."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.errors import RequestRefused
from watcher.net.redirects import (
    MAX_HOPS,
    RedirectChain,
    _split_userinfo,
    may_forward_credentials,
    split_target,
)

STATUSES = st.sampled_from([301, 302, 303, 307, 308])


@given(st.lists(STATUSES, max_size=MAX_HOPS))
def test_moved_to_is_the_end_of_the_permanent_prefix(statuses):
    chain = RedirectChain.start("https://a.example/0")
    for number, status in enumerate(statuses, 1):
        chain = chain.follow(status, f"https://a.example/{number}")

    prefix = next((at for at, status in enumerate(statuses) if status not in (301, 308)), len(statuses))
    assert chain.url == f"https://a.example/{len(statuses)}"
    assert chain.moved_to == (f"https://a.example/{prefix}" if prefix else None)


@given(st.lists(st.tuples(STATUSES, st.integers(0, 20)), min_size=MAX_HOPS + 1, max_size=40))
@pytest.mark.slow
def test_every_chain_ends(hops):
    chain = RedirectChain.start("http://a.example/start")

    with pytest.raises(RequestRefused):
        for status, number in hops:
            chain = chain.follow(status, f"/{number}")


@pytest.mark.parametrize(
    ("location", "url"),
    [
        ("/x", "https://a.example/x"),
        ("x?y", "https://a.example/dir/x?y"),
        ("//b.example/x", "https://b.example/x"),
        ("?page=2", "https://a.example/dir/feed?page=2"),
        (" https://b.example/x#frag ", "https://b.example/x"),
        ("https://u:p@b.example/x", "https://b.example/x"),
    ],
)
def test_a_location_resolves_and_loses_fragment_and_credentials(location, url):
    assert RedirectChain.start("https://a.example/dir/feed").follow(302, location).url == url


@pytest.mark.parametrize(
    ("target", "kept"),
    [
        ("https://a.example/other", True),
        ("https://a.example:443/other", True),
        ("http://a.example/other", False),
        ("https://b.example/", False),
        ("https://a.example:8443/", False),
        ("https://sub.a.example/", False),
    ],
)
def test_credentials_stay_with_their_origin(target, kept):
    chain = RedirectChain.start("https://user:pass@a.example/feed").follow(301, target)

    assert (chain.authorization is not None) is kept
    assert ("user:pass@" in (chain.moved_to or "")) is kept


def test_credentials_step_up_to_https_of_the_same_host_but_do_not_come_back_from_afar():
    assert may_forward_credentials("http://a.example/", "https://a.example/")
    assert not may_forward_credentials("https://a.example/", "http://a.example/")
    away = (
        RedirectChain.start("https://u:p@a.example/")
        .follow(302, "https://b.example/")
        .follow(302, "https://a.example/x")
    )
    assert away.authorization is None


@pytest.mark.parametrize(
    "url", ["", "x", "file:///etc/passwd", "http://", "https:///x", "http://a:99999/", "http://[::1/", "http://a:0/"]
)
def test_what_is_no_http_url_is_refused(url):
    with pytest.raises(RequestRefused):
        RedirectChain.start(url)


@given(st.text(st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters="#"), max_size=60))
def test_what_http_can_carry_goes_out_as_given(rest):
    assert split_target("http://a.example/" + rest + "#frag") == ("http://a.example", "/" + rest)


@given(st.text(max_size=60))
def test_a_target_is_always_one_printable_word(rest):
    _, target = split_target("http://a.example/" + rest)

    assert target.startswith("/") and all("!" <= char <= "~" for char in target)


@given(st.from_regex(r"[a-z0-9%:]{1,12}", fullmatch=True))
def test_userinfo_goes_out_and_in_again(userinfo):
    assert _split_userinfo(f"https://{userinfo}@a.example/x@y") == ("https://a.example/x@y", userinfo)
