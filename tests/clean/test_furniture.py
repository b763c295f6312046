"""Furniture rules, one by one."""

from __future__ import annotations

import pytest

from watcher.clean.furniture import (
    ArticleContext,
    _is_teaser_heading,
    _line_rule,
    drop_furniture,
)
from watcher.clean.html import InlineMarkup
from watcher.model import Block
from watcher.text.words import normalize_key

PROSE = "The council put off its decision until March, after four hours of talk about the cost of the bridge."


def blocks(*texts: str | Block) -> tuple[Block, ...]:
    return tuple(text if isinstance(text, Block) else Block(text=text) for text in texts)


def cut(given: tuple[Block, ...], **known: object) -> list[tuple[str, str]]:
    _, removed = drop_furniture(given, ArticleContext(**known))  # type: ignore[arg-type]
    return [(one.rule, one.text) for one in removed]


def test_plain_paragraphs_stay() -> None:
    assert cut(blocks(*[PROSE] * 8)) == []


def test_the_title_does_not_stand_in_the_text() -> None:
    given = blocks("Council puts off bridge", *[PROSE] * 4)

    assert cut(given, titles=frozenset((normalize_key("Council puts off bridge"),))) == [
        ("title", "Council puts off bridge")
    ]


def test_a_block_that_is_one_link_goes() -> None:
    title = "Ferry to run later on Saturdays from May"
    given = blocks(*[PROSE] * 4, title, PROSE)

    assert cut(given, markup=InlineMarkup(links=frozenset((normalize_key(title),)))) == [("link", title)]


def test_an_article_made_of_links_keeps_them() -> None:
    titles = [f"Story number {word} of the day, told at some length here" for word in ("one", "two", "three", "four")]
    given = blocks(PROSE, *titles)

    assert cut(given, markup=InlineMarkup(links=frozenset(normalize_key(title) for title in titles))) == []


def test_a_box_in_the_middle_ends_where_the_article_goes_on() -> None:
    given = blocks(
        *[PROSE] * 3, Block(text="Related articles", kind="h"), Block(text="Old bridge", kind="li"), *[PROSE] * 4
    )

    assert cut(given) == [("box", "Related articles"), ("box", "Old bridge")]


def test_teasers_and_a_schedule_after_the_body_go_with_their_paragraphs() -> None:
    teaser = "Engineers said that the dam had held, although two gates could not be opened during the night."
    given = blocks(
        *[PROSE] * 4,
        Block(text="More from International", kind="h"),
        Block(text="Dam holds after night of rain", kind="li"),
        teaser,
        Block(text="Coming Up on Bay Radio", kind="h"),
        "6:00am - 10:00am",
        "Where the business of the bay meets for breakfast, with guests from the harbour every single day.",
    )

    kept, removed = drop_furniture(given, ArticleContext())

    assert kept == given[:4]
    assert {one.rule for one in removed} == {"box"}


def test_a_heading_goes_with_all_that_stood_under_it() -> None:
    given = blocks(*[PROSE] * 4, Block(text="Good to know", kind="h"), "Read more: The bridge in numbers")

    assert [rule for rule, _ in cut(given)] == ["heading", "read more"]


def test_a_subhead_over_a_paragraph_stays() -> None:
    given = blocks(PROSE, Block(text="Background", kind="h"), PROSE, Block(text="What next", kind="h"), PROSE)

    assert cut(given) == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("How the bridge was closed, and what lorries do since. 20.04.2024 | 3:18 min", "caption"),
        (">> All decisions of the council at a glance", "read more"),
        ("Table of contents", "label"),
        ("28 November // 8 min read", "label"),
        ("Lesedauer: 4 Minuten", "label"),
        ("Share this post", "label"),
    ],
)
def test_a_line_between_paragraphs_that_leads_to_something_else_goes(line: str, rule: str) -> None:
    assert cut(blocks(PROSE, *[PROSE] * 6, line, *[PROSE] * 6)) == [(rule, line)]


@pytest.mark.parametrize(
    "line", ["She ran the race in 3:18 min", "Kiel beat Berlin 30:25 (15:12)", "Brandt | 3:18 min"]
)
def test_a_time_in_a_race_is_no_playing_time(line: str) -> None:
    assert cut(blocks(*[PROSE] * 7, line, *[PROSE] * 6)) == []


def test_a_paragraph_that_a_caption_repeats_stays() -> None:
    said = "Only nine of the pairs have been matched"
    markup = InlineMarkup(captions=frozenset((normalize_key(said), normalize_key("The old bridge"))))

    kept, removed = drop_furniture(
        blocks(PROSE, said, "The old bridge", PROSE, f"{said}."), ArticleContext(markup=markup)
    )

    assert [block.text for block in kept] == [PROSE, PROSE, f"{said}."]
    assert [one.rule for one in removed] == ["caption", "caption"]


def test_dates_over_each_item_of_a_long_list_stay() -> None:
    days = [f"{day} March 2026" for day in range(1, 13)]
    markup = InlineMarkup(times=frozenset(map(normalize_key, days)))
    calendar = blocks(PROSE, *(text for day in days for text in (day, f"{PROSE} Again on {day}.")))

    assert cut(calendar, markup=markup) == []
    assert cut(calendar[:9], markup=markup) == [("date", day) for day in days[:4]]


def test_a_line_at_the_end_that_asks_for_something_late_is_a_call() -> None:
    call = f"{PROSE[:-1]}, and much more: Follow our channel on Telegram"

    assert cut(blocks(*[PROSE] * 8, call)) == [("call", call)]
    assert cut(blocks(*[PROSE] * 8, call, *[PROSE] * 8)) == []


def test_a_teaser_with_its_title_behind_a_colon_is_no_heading_of_a_box() -> None:
    teasers = "RELATED READING: Answers to all your questions on bridges", "READ MORE: Will lorries end the bridge?"
    markup = InlineMarkup(links=frozenset(map(normalize_key, teasers)))
    long = f"{PROSE} {PROSE} {PROSE}"

    assert cut(blocks(*[PROSE] * 3, teasers[0], long, teasers[1], long), markup=markup) == [
        ("read more", teaser) for teaser in teasers
    ]


def test_a_box_does_not_take_an_article_of_lists_with_it() -> None:
    items = [Block(text=f"Walk over bridge number {at} before noon", kind="li") for at in range(90)]
    given = blocks(*[PROSE] * 3, "Related resources:", items[0], Block(text="All bridges", kind="h"), *items[1:])

    assert [text for _, text in cut(given)] == ["Related resources:", items[0].text]


def test_a_note_that_the_rest_is_for_subscribers_is_not_the_text() -> None:
    note = "Il vous reste 57.09% de cet article à lire. La suite est réservée aux abonnés."

    assert cut(blocks(*[PROSE] * 8, note)) == [("call", note)]


def test_a_page_that_would_lose_everything_keeps_everything() -> None:
    given = blocks("Advertisement", "Share")

    kept, removed = drop_furniture(given, ArticleContext())

    assert (kept, removed) == (given, ())


@pytest.mark.parametrize(
    "line",
    [
        "Read more: The bridge in numbers",
        "READ ALSO | The bridge in numbers",
        "Lesen Sie auch: Die Brücke in Zahlen",
        "À lire aussi : le pont en chiffres",
        "Lea también: El puente en cifras",
        "Läs också: Bron i siffror",
        "Читайте также: Мост в цифрах",
        "اقرأ أيضا: الجسر بالأرقام",
        "関連記事：橋の数字",
    ],
)
def test_read_more_lines_are_known(line: str) -> None:
    assert _line_rule(line) == "read more"


@pytest.mark.parametrize(
    "line", ["Related costs rose by a third, the council said.", "Read aloud, the poem takes an hour."]
)
def test_a_sentence_is_no_read_more_line(line: str) -> None:
    assert _line_rule(line) is None


def test_calls_labels_and_headings_are_known() -> None:
    assert _line_rule("Sign up for our newsletter to get the day's news in your inbox.") == "call"
    assert _line_rule("Abonnieren Sie unseren Newsletter.") == "call"
    assert _line_rule("“Sign up for the newsletter,” she told the crowd, and few did.") is None
    assert _line_rule("The firm said that its newsletter would end in May.") is None
    assert _line_rule("Advertisement") == "label"
    assert _line_rule("Anzeige") == "label"
    assert _line_rule("More:") == "label"
    assert _line_rule("Advertisement spending rose by a third.") is None
    assert _is_teaser_heading("More from International")
    assert not _is_teaser_heading("Latest figures show that prices rose by two percent in May.")


def test_a_link_with_a_date_behind_it_goes() -> None:
    title = "Ferry to run later on Saturdays from May"
    given = blocks(*[PROSE] * 4, f"{title} 24.11.2026, 17:28 Uhr", PROSE)

    assert [rule for rule, _ in cut(given, markup=InlineMarkup(links=frozenset((normalize_key(title),))))] == ["link"]


def test_a_menu_of_links_between_bars_goes() -> None:
    names = ("News", "World", "Business", "Culture")
    given = blocks(" | ".join(names), *[PROSE] * 4)

    assert [
        rule for rule, _ in cut(given, markup=InlineMarkup(links=frozenset(normalize_key(name) for name in names)))
    ] == ["link"]


def test_figures_between_bars_that_are_no_links_stay() -> None:
    assert cut(blocks(*[PROSE] * 4, "Yes 41 | No 38 | Undecided 21")) == []


def test_questions_to_the_reader_are_calls_and_questions_of_the_text_are_not() -> None:
    assert _line_rule("Hat Ihnen dieser Artikel gefallen? Dann unterstützen Sie uns mit einer Spende.") == "call"
    assert _line_rule("Like this story? Share it with a friend!") == "call"
    assert _line_rule("¿Te ha gustado este artículo?") == "call"
    assert _line_rule("Did you find this, he asked, in the river?") is None


def test_what_stands_for_a_post_from_elsewhere_goes() -> None:
    given = blocks(PROSE, "Empfohlener redaktioneller Inhalt", PROSE.replace("March", "May"))

    assert cut(given) == [("embed", "Empfohlener redaktioneller Inhalt")]
    assert _line_rule("Ich bin damit einverstanden, dass mir der externe Inhalt angezeigt wird.") == "embed"
    assert _line_rule("The third party was content with that, its chairman said.") is None


@pytest.mark.parametrize(
    "line", ["© 2024 The Daily", "Copyright 2019 The Daily. All rights reserved.", "무단 전재 및 재배포 금지"]
)
def test_a_line_at_the_end_that_says_whose_the_text_is_goes(line: str) -> None:
    given = blocks(*[f"{PROSE} {word}" for word in ("One", "Two", "Three", "Four", "Five")], line)

    assert [text for _, text in cut(given)] == [line]


def test_a_law_on_copyright_is_no_line_of_rights() -> None:
    assert _line_rule("The Copyright Act says that rights end seventy years after the death of an author.") is None


def test_a_quote_set_apart_is_read_once() -> None:
    quote = Block(text="We will not build it before the winter", kind="quote")
    given = blocks(PROSE, quote, f"“{quote.text},” the mayor said on the steps of the hall.")

    assert cut(given) == [("said twice", quote.text)]


def test_a_quote_that_stands_nowhere_else_stays() -> None:
    assert cut(blocks(PROSE, Block(text="We will not build it before the winter", kind="quote"), PROSE)) == []


def test_a_note_on_the_author_need_not_begin_with_the_name() -> None:
    note = "Correspondent Ann Lee covers the north from Port Selm."
    given = blocks(*[f"{PROSE} {word}" for word in ("One", "Two", "Three", "Four", "Five")], note)

    assert cut(given, authors=("Ann Lee",)) == [("author", note)]


@pytest.mark.parametrize("line", ["11.04 Uhr", "Wed 12 Sep 2024, 9:15 am", "2024年9月12日 9時15分", "3 days ago"])
def test_a_line_that_its_class_calls_a_time_goes_if_it_is_one(line: str) -> None:
    given = blocks(line, *[PROSE] * 4)

    assert cut(given, markup=InlineMarkup(times=frozenset((normalize_key(line),)))) == [("date", line)]


@pytest.mark.parametrize(
    "line", ["11.04 Uhr: Drohne tötet offenbar einen Anführer der Miliz", "300 minutes of waiting"]
)
def test_a_line_that_says_more_than_a_time_stays(line: str) -> None:
    given = blocks(*[PROSE] * 2, Block(text=line, kind="h"), *[PROSE] * 2)
    times = frozenset((normalize_key(line),)) if "Uhr" in line else frozenset()

    assert cut(given, markup=InlineMarkup(times=times)) == []


def test_the_title_goes_with_its_kicker() -> None:
    title = "Council puts off the bridge once more"
    given = blocks(Block(text=f"By the river{title}", kind="h"), *[PROSE] * 4)

    assert [rule for rule, _ in cut(given, titles=frozenset((normalize_key(title),)))] == ["title"]


@pytest.mark.parametrize(
    "line", ["READ THE STORY HERE | {title}", "{title} [INSIGHT]", "{title} (VIDEO)", "Opinion: {title}"]
)
def test_a_link_with_a_label_at_one_side_goes(line: str) -> None:
    title = "Ferry to run later on Saturdays from May"
    given = blocks(*[PROSE] * 2, line.format(title=title), *[PROSE] * 2)

    assert [rule for rule, _ in cut(given, markup=InlineMarkup(links=frozenset((normalize_key(title),))))] == ["link"]


def test_a_first_paragraph_that_is_one_link_stays() -> None:
    first = "The council has put off its decision on the bridge until March."
    given = blocks(Block(text="The bridge", kind="h"), first, *[PROSE] * 4)

    assert cut(given, markup=InlineMarkup(links=frozenset((normalize_key(first),)))) == []


def test_a_box_ends_where_long_paragraphs_go_on_between_headings_and_links() -> None:
    teasers = [Block(text=f"A story of the {day}", kind="li") for day in ("first", "second", "third", "fourth")]
    heading = Block(text="What else it costs", kind="h")
    given = blocks(*[PROSE] * 3, Block(text="Related articles", kind="h"), *teasers, f"{PROSE} {PROSE} {PROSE}")
    given = (*given, heading, Block(text=f"{PROSE} {PROSE} Still, {PROSE}"))

    assert [text for rule, text in cut(given)] == ["Related articles", *(teaser.text for teaser in teasers)]


def test_a_line_of_rights_before_the_text_goes() -> None:
    line = "Copyright Lena Brandt/Copyright 2026 The AP. All rights reserved."

    assert cut(blocks(line, *[PROSE] * 9)) == [("rights", line)]


def test_a_box_ends_where_the_article_goes_on_in_long_items_of_a_list() -> None:
    """As in "The ten best …", with a note on advertisements between the first item and the second."""
    items = [Block(text=f"Bridge {number}. {PROSE} {PROSE} {PROSE}", kind="li") for number in range(4)]
    given = blocks(*[PROSE] * 3, items[0], "More from the bridges", "Old bridge", *items[1:])

    assert cut(given) == [("box", "More from the bridges"), ("box", "Old bridge")]


def test_long_teasers_under_their_linked_titles_go_with_their_box() -> None:
    titles = [f"Story number {at} of the day, told at some length" for at in range(5)]
    teasers = [text for title in titles for text in (title, "27/05/2024", f"{PROSE} {PROSE} {PROSE}")]
    given = blocks(*[PROSE] * 4, Block(text="More from International", kind="h"), *teasers)

    left, _ = drop_furniture(given, ArticleContext(markup=InlineMarkup(links=frozenset(map(normalize_key, titles)))))

    assert [block.text for block in left] == [PROSE] * 4
