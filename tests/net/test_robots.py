"""robots.txt, from every kind of answer."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.net.robots import LONGEST_DELAY_S, Robots, robots_url

AGENT = "watcher-digests/0.1 (+https://example.org/bot)"
PAGE = "https://a.example/news/1?x=2"


@pytest.mark.parametrize(
    ("status", "allowed"),
    [(404, True), (403, True), (410, True), (302, True), (429, False), (500, False), (503, False), (None, False)],
)
def test_an_answer_without_rules_allows_or_forbids_everything(status, allowed):
    robots = Robots.from_answer(status, b"User-agent: *\nDisallow: /", agent=AGENT)

    assert robots.allowed(PAGE) is allowed
    assert robots.allowed("https://a.example/robots.txt")
    assert allowed or robots.why != "robots.txt"


@pytest.mark.parametrize(
    ("body", "allowed"),
    [
        (b"", True),
        (b"<html>not found</html>", True),
        (b"User-agent: *\nDisallow:", True),
        (b"User-agent: *\nDisallow: /news/", False),
        (b"\xef\xbb\xbfUser-agent: *\r\nDisallow: /news/\r\n", False),
        (b"User-agent: *\nDisallow: /\nAllow: /news/", True),
        (b"User-agent: *\nDisallow: /*?x=", False),
        (b"User-agent: *\nDisallow: /news/1$", True),
        (b"User-agent: other\nDisallow: /", True),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: Watcher-Digests\nDisallow: /private", True),
        (b"User-agent: *\nAllow: /\n\nUser-agent: watcher-digests\nDisallow: /", False),
        (b"User-agent: a\nUser-agent: watcher-digests\nDisallow: /news # all of it", False),
    ],
)
def test_the_rules_for_our_product_are_kept(body, allowed):
    assert Robots.from_answer(200, body, agent=AGENT).allowed(PAGE) is allowed


@pytest.mark.parametrize(
    ("written", "delay_s"), [("2", 2.0), ("0.5", 0.5), ("x", None), ("1e9", LONGEST_DELAY_S), ("-3", 0.0)]
)
def test_a_crawl_delay_is_kept_within_reason(written, delay_s):
    body = f"User-agent: *\nCrawl-delay: {written}\n".encode()

    assert Robots.parse(body, agent=AGENT).delay_s in (delay_s, None if delay_s == 0.0 else delay_s)


@given(st.binary(max_size=400))
def test_any_bytes_are_rules_of_some_kind(body):
    assert Robots.parse(body, agent=AGENT).allowed(PAGE) in (True, False)


def test_a_hostile_pattern_costs_no_time():
    body = b"User-agent: *\n" + b"Disallow: /" + b"*a" * 5000 + b"$\n"
    started = time.process_time()

    Robots.parse(body, agent=AGENT).allowed("https://a.example/" + "a" * 5000 + "b")

    assert time.process_time() - started < 1


def test_robots_txt_lies_at_the_root_of_the_same_origin():
    assert robots_url("http://u:p@a.example:8080/x/y?z#f") == "http://a.example:8080/robots.txt"
