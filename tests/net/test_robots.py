"""robots.txt, from every kind of answer."""

from __future__ import annotations

import time
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from watcher.net.robots import (
    LONGEST_DELAY_S,
    MAX_ROBOTS_BYTES,
    NO_ANSWER,
    UNREADABLE,
    RobotsVerdict,
    evaluate,
    extract_rules,
    robots_url,
)

AGENT = "watcher-digests/0.1 (+https://example.org/bot)"
PAGE = "https://a.example/news/1?x=2"


def read(body: bytes | str, *urls: str, agent: str = AGENT) -> RobotsVerdict:
    """Return what the robots.txt in `body` says of `urls`."""
    body = body.encode() if isinstance(body, str) else body
    return evaluate(200, extract_rules(body, agent), urls or (PAGE,))


def allows(body: bytes | str, url: str, agent: str = AGENT) -> bool:
    """Whether the robots.txt in `body` lets `agent` ask for `url`."""
    return url in read(body, url, agent=agent).allowed


@pytest.mark.parametrize(
    ("status", "allowed"),
    [
        *((404, True), (403, True), (410, True), (302, True), (304, True)),
        *((429, False), (500, False), (503, False), (NO_ANSWER, False), (UNREADABLE, False)),
    ],
)
def test_an_answer_without_rules_allows_or_forbids_everything(status, allowed):
    verdict = evaluate(status, "disallow:/", (PAGE,))

    assert verdict.allowed == ({PAGE} if allowed else set())
    assert verdict.is_transient is not allowed
    assert allowed or str(verdict.reason).startswith("robots.txt ")


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
        (b"User-agent: *\rDisallow: /news/\r", False),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: Watcher-Digests/2.0\nDisallow:", True),
        (b"User-agent: *\nDisallow: /\n\nUser-agent: watcher-digests reads news\nAllow: /", True),
    ],
)
def test_the_rules_for_our_product_are_kept(body, allowed):
    assert allows(body, PAGE) is allowed


def test_robots_txt_itself_may_always_be_asked_for():
    assert allows("User-agent: *\nDisallow: /", "https://a.example/robots.txt")


@pytest.mark.parametrize(
    ("written", "delay_s"), [("2", 2.0), ("0.5", 0.5), ("x", None), ("1e9", LONGEST_DELAY_S), ("-3", 0.0)]
)
def test_a_crawl_delay_is_kept_within_reason(written, delay_s):
    body = f"User-agent: *\nCrawl-delay: {written}\n".encode()

    assert read(body).delay_s in (delay_s, None if delay_s == 0.0 else delay_s)


def test_of_two_crawl_delays_the_last_one_counts():
    assert read("User-agent: *\nCrawl-delay: 5\nCrawl-delay: 2\nCrawl-delay: 5").delay_s == 5.0


# What the standard (RFC 9309) and the spec test of Google (github.com/google/robotstxt-spec-test) ask for, by subject.
GROUPS = """
disallow: /before-any-group/

user-agent: Alpha
disallow: /
allow: /a/
user-agent: Beta
disallow: /
allow: /b/


allow: /late/
user-agent: Gamma

user-agent: Alpha
allow: /again/
disallow: /
"""


@pytest.mark.parametrize(
    ("agent", "path", "allowed"),
    [
        ("Alpha", "/a/x", True),
        ("Alpha", "/again/x", True),
        ("Alpha", "/b/x", False),
        ("Beta", "/b/x", True),
        ("Beta", "/late/x", True),
        ("Beta", "/again/x", False),
        ("Gamma", "/again/x", True),
        ("Gamma", "/a/x", False),
        ("Delta", "/a/x", True),
        ("Delta", "/before-any-group/", True),
    ],
)
def test_groups_of_one_agent_are_one_and_each_has_the_rules_below_its_agents(agent, path, allowed):
    assert allows(GROUPS, f"https://a.example{path}", agent) is allowed


@pytest.mark.parametrize(
    ("body", "agent", "allowed"),
    [
        ("USER-AGENT: Alpha\nDISALLOW: /", "alpha", False),
        ("uSeR-aGeNt: aLpHa\ndIsAlLoW: /", "Alpha", False),
        ("user-agent Alpha\ndisallow /", "Alpha", False),
        ("useragent: Alpha\ndissallow: /", "Alpha", False),
        ("user agent: Alpha\ndisallaw: /", "Alpha", False),
        ("agent: Alpha\nrule: /", "Alpha", True),
        ("User-agent: ALPHA NEWS\nDisallow: /", "Alpha", False),
        ("User-agent: *\nDisallow: /\nUser-agent: Alpha News\nAllow: /news/\nDisallow: /", "Alpha", True),
        ("user-agent: *\ndisallow: /\nuser-agent: Alpha\nallow: /news/1", "Alpha", True),
        ("user-agent: *\ndisallow: /\nuser-agent: Alpha\nallow: /news/1", "Beta", False),
        ("user-agent: Alpha\nallow: /\nuser-agent: Beta\ndisallow: /", "Gamma", True),
        ("user-agent: *\ndisallow: /\nsitemap: https://a.example/map\nuser-agent: Beta\ndisallow: /x", "Alpha", False),
        ("user-agent: Beta\nsitemap: https://a.example/map\nuser-agent: Alpha\ndisallow: /", "Beta", False),
        ("\ufeffUser-agent: Alpha\nDisallow: /", "Alpha", False),
        ("User-agent: Alpha\n\ufeffDisallow: /", "Alpha", True),
        ("# User-agent: Alpha\nDisallow: /", "Alpha", True),
        ("User-agent: Alpha # us\nDisallow: /x#y\nDisallow: / # all", "Alpha", False),
        ("User-agent: Alpha\r\n\r\nDisallow: /\r\n", "Alpha", False),
    ],
)
def test_agents_and_lines_are_known_as_the_standard_and_google_know_them(body, agent, allowed):
    assert allows(body, PAGE, agent) is allowed


@pytest.mark.parametrize(
    ("rules", "path", "allowed"),
    [
        ("allow: /p\ndisallow: /", "/page", True),
        ("allow: /folder\ndisallow: /folder", "/folder/page", True),
        ("allow: /page\ndisallow: /*.htm", "/page.htm", False),
        ("allow: /$\ndisallow: /", "/", True),
        ("allow: /$\ndisallow: /", "/page.htm", False),
        ("disallow: /x/page.html\nallow: /x/", "/x/page.html", False),
        ("disallow: /x\nallow: /x/", "/x", False),
        ("disallow: /x\nallow: /x/", "/x/", True),
        ("disallow:\nallow:", "/x", True),
        ("disallow: /Fish", "/fish", True),
        ("disallow: /\nallow: /fish*", "/fishheads/yummy.html", True),
        ("disallow: /\nallow: /fish/", "/fish.html", False),
        ("disallow: /\nallow: /*.php", "/index?f=filename.php/", True),
        ("disallow: /\nallow: /*.php$", "/filename.php?parameters", False),
        ("disallow: /\nallow: /fish*.php", "/fishheads/catfish.php?parameters", True),
        ("disallow: /\nallow: /sea/index.html", "/sea/", True),
        ("disallow: /\nallow: /sea/index.html", "/sea/index.htm", False),
        ("disallow: /\nallow: /caf\u00e9", "/caf%C3%A9", True),
        ("disallow: /\nallow: /caf%c3%a9", "/caf%C3%A9", True),
        ("disallow: /\nallow: /a?b=c&d=http://x.example?e&f", "/a?b=c&d=http://x.example?e&f", True),
    ],
)
def test_of_the_rules_that_fit_the_longest_one_counts(rules, path, allowed):
    assert allows(f"user-agent: *\n{rules}", f"https://a.example{path}") is allowed


NAMES = "* Watcher WATCHER watcher watch wat* w*cher watcher-x mywatcher other".split()
AGENTS = ("User-agent:", "user-agent :", "USER-AGENT:", "useragent", "User agent", "User agent:", "user  agent:")
RULES = (
    *("Disallow:", "Allow:", "disallow", "allow :", "dissallow:", "disallaw", "disallow /a:", "Crawl-delay:"),
    *("crawl delay", "Sitemap:", "sitemap", "site-map:", "Host:", "Request-rate:", "visit time", "foo:", "foo", "# a:"),
)
VALUES = "/ /a /a/b /news/* /*.html$ /*?x= /x$ /a/index.html /\u00e9 /%41 a * /$y 5".split()
PATHS = "/ /a /a/b /a/ /A /news/1?x=2 /p.html /x /a/index.html /\u00e9 /$y /b1.a".split()
URLS = tuple(f"https://h.example{path}" for path in PATHS)
some_value = st.sampled_from(VALUES) | st.text("/ab*$%.#? \t", max_size=6)
some_line = st.tuples(st.sampled_from(AGENTS), st.just(" "), st.sampled_from([*NAMES, "other bot", ""])) | st.tuples(
    st.sampled_from(RULES), st.sampled_from([" ", ""]), some_value
)
some_end = st.sampled_from(["\n", "\r\n", "\r", "\n\n", " # words\n", "\x0b"])
files = st.lists(st.tuples(some_line, some_end), max_size=14).map(
    lambda found: "".join("".join(line) + end for line, end in found)
)


@given(files)
@pytest.mark.slow
def test_the_rules_of_our_group_say_what_protego_makes_of_the_whole(text):
    whole = Protego.parse(text)

    verdict = read(text, *URLS, agent="Watcher/1")

    assert verdict.allowed == {url for url in URLS if whole.can_fetch(url, "watcher")}
    assert (verdict.delay_s or 0) == min(whole.crawl_delay("watcher") or 0, LONGEST_DELAY_S)


@given(st.binary(max_size=400))
def test_any_bytes_are_rules_of_some_kind(body):
    assert read(body).allowed <= {PAGE}


def filled(head: str, line: str) -> bytes:
    """Return `head` and as many lines as fit into what is read, each with its number."""
    count = MAX_ROBOTS_BYTES // (len(line) + 3)
    return "\n".join([head, *(line.replace("N", str(n)) for n in range(count))]).encode()[:MAX_ROBOTS_BYTES]


HOSTILE = {
    "agents and rules": b"\n".join([b"useragent X"] * 20_000 + [b"allow a"] * 20_000),
    "names and rules": filled("", "useragent xN")[: MAX_ROBOTS_BYTES // 2]
    + filled("", "allow N")[: MAX_ROBOTS_BYTES // 2],
    "our name and rules": b"\n".join([b"useragent watcher-digests"] * 9_000 + [b"allow a"] * 30_000),
    "groups of ours": filled("", "useragent watcher-digests\nallow:N"),
    "rules": filled("user-agent: *", "allow:N"),
    "ends": filled("user-agent: *", "allow:N$"),
    "one line": b"user-agent: *\nallow: /" + b"*a" * (MAX_ROBOTS_BYTES // 2),
    "one word": b"a" * MAX_ROBOTS_BYTES,
    "empty lines": b"\n" * MAX_ROBOTS_BYTES,
}


@pytest.mark.slow
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_read_in_time_and_little_of_it_is_kept(name):
    started = time.process_time()

    rules = extract_rules(HOSTILE[name], AGENT)
    evaluate(200, rules, (PAGE,))

    assert time.process_time() - started < 5
    assert len(zlib.compress(rules.encode())) < 150_000


def test_a_hostile_pattern_costs_no_time():
    body = b"User-agent: *\n" + b"Disallow: /" + b"*a" * 5000 + b"$\n"
    started = time.process_time()

    allows(body, "https://a.example/" + "a" * 5000 + "b")

    assert time.process_time() - started < 1


def test_the_same_rule_is_kept_once():
    assert extract_rules(b"user-agent: *\n" + b"disallow: /a\nallow /b\n" * 1000, AGENT) == "disallow:/a\nallow:/b"


def test_a_line_that_is_cut_at_the_end_of_what_is_read_is_no_rule():
    start = b"User-agent: *\nDisallow: /"
    body = b"#" * (MAX_ROBOTS_BYTES - len(start) - 1) + b"\n" + start + b"private"

    assert allows(body, PAGE)


def test_robots_txt_lies_at_the_root_of_the_same_origin():
    assert robots_url("http://u:p@a.example:8080/x/y?z#f") == "http://a.example:8080/robots.txt"
