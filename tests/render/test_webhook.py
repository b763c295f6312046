"""Messages for web addresses: within the limits of each service, and headlines that stay words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from digests.render.edition_view import edition_view
from digests.render.webhook import SHAPES, render

HOSTILE = (
    "@everyone <@1> <!channel> [click](https://evil.example) *bold* _it_ ~off~ `code` |x| <https://evil.example|here>",
    "News\r\nBcc: x\u202egpj.exe \ud800",
    "速報：" * 60,
)


def message(edition, shape: str) -> dict:
    return json.loads(render(edition_view(edition), edition, shape=shape))


def with_titles(editions, *titles: str):
    stories = tuple(replace(editions.story(n), number=n, title=title) for n, title in enumerate(titles, 1))
    return editions.edition((editions.Section(title="x", anchor="x", stories=stories),))


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("name", ["small", "empty", "rich", "long"])
def test_a_message_is_the_same_bytes_each_time(editions, shape, name):
    edition = getattr(editions, name)()

    assert render(edition_view(edition), edition, shape=shape) == render(edition_view(edition), edition, shape=shape)


def test_plain_json_has_what_a_program_needs(editions):
    told = message(editions.small(), "json")

    assert (told["digest"], told["date"], told["subject"]) == ("world", "2025-03-14", told["stories"][0]["title"])
    assert set(told["stories"][0]) == {"number", "title", "original", "url", "outlets", "independent", "headline_only"}
    assert "WORLD DIGEST" in told["text"]


@pytest.mark.parametrize("name", ["small", "empty", "long"])
def test_each_service_takes_a_message_of_this_size(editions, name):
    edition = getattr(editions, name)()

    assert len(message(edition, "ntfy")["message"].encode()) <= 4_096
    assert len(message(edition, "slack")["text"]) <= 4_000
    (embed,) = message(edition, "discord")["embeds"]
    assert len(embed["title"]) <= 256
    assert len(embed["description"]) <= 4_096


@pytest.mark.parametrize("shape", SHAPES)
def test_an_empty_edition_says_so(editions, shape):
    assert "Nothing to report" in json.dumps(message(editions.empty(), shape))


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("title", HOSTILE)
def test_a_headline_is_one_line_of_text(editions, shape, title):
    body = render(edition_view(with_titles(editions, title)), with_titles(editions, title), shape=shape)

    told = body.decode()
    assert "\\r" not in told
    assert "\u202e" not in told
    assert "Bcc: x" not in told.split("News")[0]


def test_nobody_is_called_and_nothing_is_linked_by_a_headline(editions):
    edition = with_titles(editions, HOSTILE[0])

    slack = message(edition, "slack")["text"]
    discord = message(edition, "discord")

    assert "<!channel>" not in slack and "<@1>" not in slack and "<https://evil.example" not in slack
    assert "&lt;!channel&gt;" in slack
    assert discord["allowed_mentions"] == {"parse": []}
    assert "](https://evil" not in discord["embeds"][0]["description"]
    assert "\\@everyone" in discord["embeds"][0]["description"]


def test_apprise_gets_each_headline_in_three_formats_and_no_mention(editions):
    edition = with_titles(editions, HOSTILE[0])
    told = message(edition, "apprise")

    assert told["text"][0] == told["title"]
    assert told["text"][1].splitlines()[1] == edition_view(edition).stories[0].url
    assert "<a href=" in told["html"][1] and "<!channel>" not in told["html"][1]
    assert "](https://evil" not in told["markdown"][2]
    for line in (told["text"][1], told["html"][1], told["markdown"][2]):
        assert "@everyone" not in line and "<!" not in line and "<@" not in line
