"""The main text of a page: its frame, what is cut, what is left."""

from __future__ import annotations

import pytest

from tests.clean.sheets import HOURS, LINES, paragraphs, sheet
from watcher.clean.content import extract_content
from watcher.clean.html import parse
from watcher.model import Block


def texts(body: str) -> list[str]:
    return [block.text for block in blocks(body)]


def blocks(body: str) -> tuple[Block, ...]:
    tree = parse(sheet(body))
    assert tree is not None
    return extract_content(tree)[1].blocks


def test_the_element_that_says_it_is_the_article_is_read_and_nothing_around_it() -> None:
    found = texts(f"<p>{LINES[0]} Elsewhere.</p><div class='article-body'>{paragraphs()}</div><p>Other news today.</p>")

    assert found == list(LINES)


def test_prose_is_found_where_no_name_tells_of_it() -> None:
    menu = "".join(f'<li><a href="/{at}">Section {at}</a></li>' for at in range(30))

    assert texts(f"<ul>{menu}</ul><div><div>{paragraphs()}</div></div><div>Imprint</div>") == list(LINES)


def test_an_article_in_boxes_side_by_side_is_read_whole() -> None:
    boxes = "".join(f"<div><div><p>{line}</p></div></div>" for line in LINES)

    assert texts(f"<div>{boxes}</div>") == list(LINES)


def test_a_name_on_a_teaser_does_not_win_over_the_prose() -> None:
    teaser = f"<article><h2>Rain in the north</h2><p>{LINES[0]} And on the dam.</p></article>"

    assert texts(f"{teaser}<div>{paragraphs(LINES * 1)}</div>") == list(LINES)


def test_comments_are_never_the_article_however_long() -> None:
    said = "".join(f"<p>I say it once more, for the {at}th time: this bridge is too dear.</p>" for at in range(60))

    found = texts(f"<article>{paragraphs()}</article><div id='comments'>{said}</div>")

    assert found == list(LINES)


@pytest.mark.parametrize(
    "name", ["related", "newsletter", "share-bar", "author-box", "teaser", "fact-box", "pullquote", "PagePromo"]
)
def test_boxes_inside_the_article_go_by_their_names(name: str) -> None:
    box = f"<div class='{name}'><p>Rain is expected in the north, and snow on the hills.</p></div>"

    assert texts(f"<article>{paragraphs(LINES[:6])}{box}{paragraphs(LINES[6:])}</article>") == list(LINES)


def test_a_name_around_all_of_the_article_is_its_layout() -> None:
    assert texts(f"<article><div class='sidebar-left'>{paragraphs()}</div></article>") == list(LINES)


def test_a_fact_box_that_is_longer_than_the_article_is_still_a_box() -> None:
    facts = paragraphs(
        tuple(f"Fact {at}: the council has paid for the bridge since the {at}th year." for at in range(40))
    )

    assert texts(f"<article>{paragraphs()}<div class='fact-box'><div>{facts}</div></div></article>") == list(LINES)


@pytest.mark.parametrize(
    "attributes",
    ["hidden", "style='display:none'", "style='DISPLAY : none'", "style='visibility: hidden'", "aria-hidden='true'"],
)
def test_a_part_that_a_reader_is_not_shown_is_no_text(attributes: str) -> None:
    hidden = f"<p {attributes}>Nobody who reads this page can see that the bridge is closed.</p>"

    assert texts(f"<article>{paragraphs(LINES[:6])}{hidden}{paragraphs(LINES[6:])}</article>") == list(LINES)


def test_text_hidden_from_those_who_have_not_paid_is_kept() -> None:
    hidden = f"<div class='paywall' style='display:none'>{paragraphs(LINES[6:])}</div>"

    assert texts(f"<article>{paragraphs(LINES[:6])}{hidden}</article>") == list(LINES)


def test_long_boxes_that_look_alike_are_sections_whatever_their_name() -> None:
    sections = "".join(
        f"<div class='product-widget n{at}'><h3>Bridge {at}</h3>{paragraphs(LINES[at : at + 4])}</div>"
        for at in (0, 4, 8)
    )
    box = "<div class='author-box'>Jane Doe writes about bridges.</div>"
    intro = "".join(f"<p>{line} So it went on until the morning of day {at}.</p>" for at in range(2) for line in LINES)

    found = texts(f"<article>{intro}{sections}{box}</article>")

    assert found[24:] == ["Bridge 0", *LINES[:4], "Bridge 4", *LINES[4:8], "Bridge 8", *LINES[8:]]


def test_lists_of_links_go_and_lists_that_were_written_stay() -> None:
    teasers = "".join(f'<li><a href="/{at}">A story of day {at}</a></li>' for at in range(8))
    demands = "<ul><li>A second bridge by the mill</li><li>No lorries at night</li></ul>"

    found = texts(f"<article>{paragraphs()}{demands}<ul>{teasers}</ul></article>")

    assert found == [*LINES, "A second bridge by the mill", "No lorries at night"]


def test_an_article_with_a_long_list_begins_before_the_list() -> None:
    items = "".join(f"<li><p>{line} {line}</p></li>" for line in LINES)
    intro = "Before it spoke, the council looked at the bridge from both sides of the river, and then from below."

    found = texts(f"<table><tr><td><div><p>{intro}</p><ul>{items}</ul></div></td></tr></table>")

    assert found == [intro, *(f"{line} {line}" for line in LINES)]


def test_a_frame_with_nothing_but_headings_does_not_hide_the_text_beside_it() -> None:
    teasers = "".join(f"<h3>The {hour} year of the old bridge over the river</h3>" for hour in HOURS)
    text = "".join(f"<section><p>{line}</p></section>" for line in LINES[:4])

    assert set(LINES[:4]) <= set(texts(f"<div><article>{teasers}</article></div><div>{text}</div>"))


def test_text_without_paragraphs_is_cut_where_lines_break() -> None:
    assert texts(f"<div class='article-body'>{'<br><br>'.join(LINES)}</div>") == list(LINES)


def test_loose_words_beside_real_paragraphs_are_no_text() -> None:
    assert texts(f"<article><div>3 min read</div>{paragraphs()}<div>Tags</div></article>") == list(LINES)


def test_long_prose_outside_of_paragraphs_is_text_between_paragraphs_and_not_behind_them() -> None:
    loose = "In January the council had all bridges seen, and by the end of March it knew that none of them was safe."
    loose += (
        " The mayor was told by letter, and the oldest of them was closed to lorries and buses on the same evening."
    )
    about = "The Daily Bridge has told the town about its council, its river and its lorries since 1921. Read on."
    text = f"{paragraphs(LINES[:10])}<div>{loose}</div>{paragraphs(LINES[10:])}"

    assert texts(f"<article>{text}<div>{about} {about}</div></article>") == [*LINES[:10], loose, *LINES[10:]]


def test_a_table_row_is_one_block() -> None:
    table = "<table><tr><th>Year</th><th>Lorries</th></tr><tr><td>2024</td><td>1,200 a day</td></tr></table>"

    assert texts(f"<article>{paragraphs()}{table}</article>")[-2:] == ["Year | Lorries", "2024 | 1,200 a day"]


def test_blocks_know_headings_lists_and_quotes() -> None:
    body = f"<h2>Costs</h2>{paragraphs()}<ul><li><p>One thing.</p></li></ul><blockquote><p>Never.</p></blockquote>"

    assert [block.kind for block in blocks(f"<article>{body}</article>")] == ["h", *["p"] * len(LINES), "li", "quote"]


def test_a_standfirst_between_title_and_article_is_its_first_paragraph() -> None:
    standfirst = "The council has spoken for a night and a day, and the bridge is not built yet."

    found = texts(f"<h1>The bridge</h1><div>{standfirst}</div><div class='article-body'>{paragraphs()}</div>")

    assert found == [standfirst, *LINES]


def test_a_text_that_stands_there_twice_is_read_once() -> None:
    assert texts(f"<article>{paragraphs()}{paragraphs()}</article>") == list(LINES)


def test_a_copy_of_the_whole_text_to_be_read_aloud_is_not_taken_for_the_article() -> None:
    lines = [f"{line} It was the {at}th day of the talks." for at in range(3) for line in LINES]
    copy = f"<div>{' '.join(lines)}</div>"

    assert texts(f"<div><div>{paragraphs(tuple(lines))}</div><div>{copy}</div></div>") == lines


def test_a_heading_that_nothing_follows_is_no_text() -> None:
    assert texts(f"<article>{paragraphs()}<h2>More on this</h2></article>") == list(LINES)


def test_soft_hyphens_and_zero_width_spaces_are_gone() -> None:
    assert (
        texts(f"<article><p>Brü\xadcken\u200bbau\xa0 am Fluss.</p>{paragraphs()}</article>")[0]
        == "Brücken bau am Fluss."
    )


def test_letters_written_in_two_parts_are_put_together() -> None:
    assert texts(f"<article><p>Bru\u0308cke am Fluss.</p>{paragraphs()}</article>")[0] == "Brücke am Fluss."


def test_a_page_without_text_gives_nothing() -> None:
    assert texts("<div><script>x()</script></div>") == []


@pytest.mark.parametrize("tag", ["aside", "nav", "figure", "noscript"])
def test_an_article_in_the_wrong_element_is_found_where_nothing_else_is(tag: str) -> None:
    assert texts(f"<p>Loading.</p><{tag}><div>{paragraphs()}</div></{tag}>") == list(LINES)


def test_a_short_article_is_not_given_up_for_what_stands_beside_it() -> None:
    short = "".join(f"<p>{line}</p>" for line in LINES[:2])
    teasers = "".join(f"<p>{line} Elsewhere.</p>" for line in LINES[2:5])

    assert texts(f"<article>{short}</article><aside>{teasers}</aside>") == list(LINES[:2])


def test_a_short_article_in_wide_characters_is_whole() -> None:
    said = "議会は橋とその費用、そして夜に通るトラックについて長く話し合い、結論は出なかった。"
    aside = "<aside>" + "".join(f"<p>{said}{at}回目の話し合いは来月の初めに開かれる。</p>" for at in range(9))

    found = texts(f"<article><p>{said}</p><p>{said[:20]}。</p><p>{said[5:]}</p></article><aside>{aside}</aside>")

    assert found[0] == said


def test_a_sentence_with_short_links_is_no_row_of_buttons() -> None:
    teams = "<a href='/p'>Portugal</a> will know the pressure tonight as they face <a href='/s'>Slovenia</a> at home."
    buttons = "<p><a href='/a'>Share</a> <a href='/b'>Print</a> <a href='/c'>Mail</a></p>"
    body = "<br><br>".join(LINES)

    found = texts(f"<article><div>{teams}</div>{buttons}{body}</article>")

    assert found == ["Portugal will know the pressure tonight as they face Slovenia at home.", *LINES]


def test_a_standfirst_in_the_surest_frame_does_not_hide_the_article_in_the_next() -> None:
    standfirst = "<div class='post-content'><p>Rain on the bridge.</p><p>Stream it now.</p></div>"
    article = f"<article><div class='sidebar-layout'><div class='sidebar-content'>{paragraphs()}</div></div></article>"
    foreign = "<div class='cookie-consent'><p>We keep cookies on your computer for as long as you let us.</p></div>"

    assert texts(f"{standfirst}{article}{foreign}") == list(LINES)


def test_a_few_lines_do_not_hide_a_long_article_in_the_wrong_element() -> None:
    slides = "".join(f"<p>On the {at}th picture {line[0].lower()}{line[1:]}</p>" for at in range(4) for line in LINES)

    found = texts(f"<div class='intro'>{paragraphs(LINES[:4])}</div><figure>{slides}</figure>")

    assert len(found) == 4 * len(LINES)


def test_a_page_that_never_begins_its_body_is_read() -> None:
    tree = parse(f"<title>The bridge</title><meta name='a' content='b'><article>{paragraphs()}</article>")
    assert tree is not None

    assert [block.text for block in extract_content(tree)[1].blocks] == list(LINES)
