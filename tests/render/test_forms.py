"""All forms of an edition say the same, in order, in the same bytes each time."""

from __future__ import annotations

import io
import quopri
import re
import zipfile
from dataclasses import replace
from datetime import timedelta
from email import message_from_bytes, policy

import pytest
from lxml import html as lxml_html

from digests import edition_json
from digests.model.ledger import LeftOut, LeftOutKind
from digests.render.edition_view import edition_view
from digests.render.forms import FORMATS, render
from digests.render.markdown import _to_html
from digests.settings.channel import FORMAT_NAMES
from tests.render.reading import headlines_and_links


def one(edition, form: str) -> str:
    return render(edition, [form])[0].body.decode()


def as_text(edition, form: str) -> str:
    """Return what a reader of a form sees; of a mail, its text and its page."""
    body = render(edition, [form])[0].body
    if form == "epub":
        with zipfile.ZipFile(io.BytesIO(body)) as book:
            pages = [book.read(name) for name in book.namelist() if name.endswith(".xhtml")]
        return " ".join(lxml_html.document_fromstring(page).text_content() for page in pages)
    if form == "eml":
        parts = message_from_bytes(body, policy=policy.default).walk()
        return " ".join(part.get_content() for part in parts if part.get_content_maintype() == "text")
    return lxml_html.document_fromstring(body).text_content() if form == "html" else body.decode()


@pytest.mark.slow
@pytest.mark.parametrize("name", ["small", "rich", "empty", "long", "moved", "heavy"])
def test_markdown_renders_to_the_headlines_and_links_of_the_page(editions, name):
    edition = getattr(editions, name)()

    from_markdown = headlines_and_links(_to_html(one(edition, "markdown")))
    from_page = headlines_and_links(one(edition, "html"))

    assert from_markdown == from_page
    assert len(from_page[0]) == len(edition.stories)


def test_the_forms_are_those_of_the_settings():
    assert tuple(FORMATS) == FORMAT_NAMES


def test_json_is_the_edition_itself(editions):
    (rendered,) = render(editions.rich(), ["json"])

    assert rendered.name == "2025-03-14.json"
    assert edition_json.load(rendered.body) == editions.rich()


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMATS)
def test_the_same_edition_gives_the_same_bytes(editions, form):
    assert render(editions.rich(), [form]) == render(editions.rich(), [form])


@pytest.mark.parametrize(("form", "ending"), [("markdown", "md"), ("html", "html"), ("text", "txt"), ("eml", "eml")])
def test_a_small_edition_reads_as_its_snapshot(editions, matches_snapshot, form, ending):
    (rendered,) = render(editions.small(), [form])

    assert rendered.name == f"2025-03-14.{ending}"
    assert matches_snapshot(f"small.{ending}", rendered.body)


@pytest.mark.parametrize("form", ["markdown", "html", "text"])
def test_a_story_is_told_in_its_order(editions, form):
    told = one(editions.small(), form).split("Asia" if form != "text" else "ASIA")[1]

    steps = (
        "Dam gives way",
        "Day 3 · updated 05:36 CET",
        "About 4,000 people",
        "Harbour Gazette",
        "Since yesterday",
        "9 outlets, 4 independent",
        "Der Talbote",
    )
    places = [told.index(step) for step in steps]
    assert places == sorted(places)


def test_the_head_of_a_digest_on_a_subject_counts_the_stories_on_it(editions):
    edition = editions.small()
    elsewhere = LeftOut(kind=LeftOutKind.OTHER_TOPIC, count=60)
    ledger = replace(edition.ledger, left_out=(*edition.ledger.left_out, elsewhere))

    assert "93 stories, 2 in full" in one(edition, "text")
    assert "33 stories, 2 in full" in one(replace(edition, ledger=ledger), "text")


def test_a_story_without_facts_leaves_no_second_blank_line(editions):
    edition = editions.small()
    bare = replace(edition.stories[0], places=(), topic="", day=1, watched=(), updated_at=edition.window_start)
    section = replace(edition.sections[0], stories=(bare,))

    told = one(replace(edition, previous=None, sections=(section,) * 4), "markdown")

    assert f"]({bare.url})\n\nAbout 4,000 people" in told
    assert "\n\n\n" not in told


def test_a_line_names_its_country_unless_its_headline_or_the_story_above_it_does(editions):
    bare, named = (
        replace(editions.brief(n), title=title, places=("Australia",), status="")
        for n, title in enumerate(("Lockdown costs the country $4 billion", "Australia opens its schools"), 1)
    )
    section = editions.Section(title="Asia", anchor="asia", stories=(replace(editions.story(1), related=(bare,)),))

    text = one(editions.edition((section,), (bare, named)), "text")

    assert text.count("Australia: Lockdown costs") == 1 and text.count("Lockdown costs") == 2
    assert "Australia: Australia" not in text


def test_a_line_whose_headline_names_only_a_city_names_its_country(editions):
    line = replace(editions.brief(1), title="Sydney opens its schools", places=("Australia",), status="")

    text = one(editions.edition((), (line,)), "text")

    assert "Australia: Sydney opens" in text


def test_the_outlets_of_a_figure_are_at_least_so_many_where_those_of_its_story_are(editions):
    story = editions.lead_with_all()
    texts = [
        one(
            editions.edition((editions.Section(title="A", anchor="a", stories=(replace(story, is_least=least),)),)),
            "text",
        )
        for least in (False, True)
    ]

    assert [("4 outlets" in text, "4+ outlets" in text) for text in texts] == [(True, False), (False, True)]


def test_one_outlet_is_not_counted_and_one_copy_is_singular(editions):
    assert "1 outlet, 1 independent" not in one(editions.small(), "html")
    mentions = editions.story(1).mentions[:2]
    one_copy = replace(editions.story(1), outlets=2, independent=1, folded=1, agencies=(("AFP", 1),), mentions=mentions)
    section = editions.Section(title="Asia", anchor="asia", stories=(one_copy,))
    source = one(editions.edition((section,)), "html")
    assert "2 outlets, 1 independent</summary>" in source
    assert '<p class="from">1 copy of an agency text · 2 languages</p>' in source


def test_folded_outlets_are_called_agency_copies_only_if_all_of_them_are(editions):
    sister = replace(editions.story(1), outlets=4, independent=1, folded=3, agencies=(("AFP", 2),))
    section = editions.Section(title="Asia", anchor="asia", stories=(sister,))

    assert "3 with the same text, source or owner · 2 languages" in one(editions.edition((section,)), "html")


@pytest.mark.parametrize("form", ["markdown", "html", "text", "eml"])
def test_a_count_that_is_the_least_says_so_in_each_form(editions, form):
    told = replace(editions.story(1), outlets=12, independent=4, folded=8, agencies=(), is_least=True)
    brief = replace(editions.brief(1), outlets=3, is_least=True)
    section = editions.Section(title="Asia", anchor="asia", stories=(told,))

    text = as_text(replace(editions.edition((section,)), briefs=(brief,)), form)

    assert "12+ outlets, 4+ independent" in text
    assert "3+ outlets" in text


@pytest.mark.parametrize(
    ("language", "mixed", "bare"),
    [
        (
            "en",
            "12 outlets, 4 independent, 3 by headline alone",
            "3 outlets by headline alone",
        ),
        ("de", "12 Medien, 4 eigene Berichte, 3 nur mit Überschrift", "3 Medien, nur mit Überschrift"),
        ("ru", "12 изданий, независимых: 4, только по заголовку: 3", "3 издания, только по заголовку"),
    ],
)
@pytest.mark.parametrize("form", ["markdown", "html", "text", "eml", "epub", "json"])
def test_outlets_with_a_headline_alone_are_counted_apart_in_each_form(editions, form, language, mixed, bare):
    counts = {"outlets": 12, "independent": 4, "folded": 8, "headline_only": 3, "agencies": (("AFP", 5),)}
    alone = {"outlets": 3, "independent": 0, "folded": 3, "headline_only": 3, "agencies": (), "summary": ()}
    stories = (replace(editions.story(1), **counts), replace(editions.story(2), **alone))
    brief = replace(editions.brief(1), outlets=3, independent=0, headline_only=3)
    section = editions.Section(title="Asia", anchor="asia", stories=stories)
    ledger = replace(editions.small().ledger, headline_only=27)
    edition = replace(editions.edition((section,)), language=language, briefs=(brief,), ledger=ledger)

    told = " ".join(as_text(edition, form).split())

    if form == "json":
        assert told.count('"headline_only":3') == 3
        assert '"headline_only":27' in told
    else:
        assert mixed.split(", ")[2] in told
        assert form == "epub" or mixed in told
        assert told.count(bare) >= 2
        assert "27" in told


def test_each_run_of_sentences_carries_outlet_time_and_link(editions):
    source = one(editions.small(), "markdown")

    first = r" on Thursday\. Two bridges .* town\. — \[Harbour Gazette\]\(https://outlet0\.example/news/1\S+\), 03:30\n"
    second = r"one side\. — \[Delta Observer\]\(https://outlet11\.example/news/2\S+\), 13 March, 21:30\n"
    assert re.search(f"{first}.*{second}", source, re.DOTALL)


def test_news_since_the_last_edition_from_two_outlets_is_one_quotation(editions):
    since = (editions.sentence(1, 0), editions.sentence(2, 11))
    story = replace(editions.story(1), updates=since)
    edition = editions.edition((editions.Section(title="Asia", anchor="asia", stories=(story,)),))

    quotation = re.findall(r"^>.*$", one(edition, "markdown"), re.MULTILINE)
    page = lxml_html.document_fromstring(_to_html(one(edition, "markdown")))

    assert [line[:12] for line in quotation] == ["> **Since ye", ">", "> Engineers "]
    assert len(page.xpath("//blockquote")) == 1
    assert one(edition, "html").count("Since yesterday") == 1


def test_a_right_to_left_outlet_does_not_draw_the_time_to_its_other_side(editions):
    story = replace(editions.story(1), summary=(editions.sentence(1, 2),))
    edition = editions.edition((editions.Section(title="Asia", anchor="asia", stories=(story,)),))

    assert ")\u200e, 03:30" in one(edition, "markdown")
    assert "</a>\u200e, 03:30" in one(edition, "html")
    assert f"{editions.OUTLETS[2][0]}\u200e, 03:30" in one(edition, "text")


def test_a_left_to_right_outlet_does_not_draw_the_date_to_its_side_in_an_arabic_edition(editions):
    told = one(replace(editions.small(), language="ar"), "text")

    assert f"{editions.OUTLETS[0][0]}\u200f، 03:30" in told


def test_a_story_whose_headline_shows_nothing_still_has_one(editions):
    story = replace(editions.story(1), title="\u202e \n")
    edition = editions.edition((editions.Section(title="Asia", anchor="asia", stories=(story,)),))

    assert "### 1. [(without a headline)](https" in one(edition, "markdown")


def test_a_headline_in_another_language_says_which(editions):
    source = one(editions.rich(), "html")

    assert re.search(r'<a dir="rtl" href="https://outlet0\.example/lead/3" lang="ar">وزراء', source)
    assert "Egypt · Sudan · in Arabic · " in source
    assert "</a> <small>(in Arabic)</small> " in source
    assert 'lang="ja">新しい探査機' in source


def test_the_page_loads_nothing_and_runs_nothing(editions):
    for edition in (editions.rich(), editions.empty(), editions.moved()):
        page = lxml_html.document_fromstring(one(edition, "html"))

        assert not page.xpath("//script | //link | //img | //iframe | //*[@src] | //*[@onclick]")
        assert "url(" not in page.xpath("string(//style)")
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))
        assert {href[1:] for href in page.xpath("//a/@href") if href.startswith("#")} <= set(ids)


def test_an_empty_edition_says_so_in_one_line_with_its_ledger(editions):
    for form in ("markdown", "html", "text"):
        source = one(editions.empty(), form)

        assert "Nothing to report: this edition has no stories." in source
        assert "In this edition" not in source
        assert "61 of 64" in " ".join(source.split())


def test_the_ledger_says_what_became_of_everything(editions):
    edition = editions.rich()
    edition = replace(edition, ledger=replace(edition.ledger, late_s=7260, late_articles=9, longer_window=True))

    foot = " ".join(one(edition, "text").split("ABOUT THIS EDITION")[1].split())

    assert "Covers 13 March, 06:30 to 14 March, 06:30 CET. This window is longer than usual" in foot
    assert "Made at 06:31 CET, 2 hours late." in foot or "Made at 06:31 CET, 121 minutes late." in foot
    assert "Seen: 1,834 new entries. Used: 412 articles from 61 outlets in 14 languages. Found: 93 stories." in foot
    assert "Shown: 12 stories in full, 10 in one line each. Left out: stories that ranked lower (71)," in foot
    assert "stories that ranked lower (71), articles muted by the settings (4)." in foot
    assert "Published before this period, but read only in it: 9." in foot
    assert "With errors: Isla Diaria (for 2 days: 503 Service Unavailable); Fjell Wire (its certificate is not" in foot


def test_a_day_of_another_year_is_told_with_its_year(editions):
    edition = editions.rich()

    wide = one(replace(edition, window_start=edition.window_end - timedelta(days=365)), "text")

    assert "Covers 14 March 2024, 06:30 to 14 March, 06:30 CET." in " ".join(wide.split())


@pytest.mark.parametrize(
    ("outlet", "agency", "site", "told"),
    [
        ("Reuters", "Reuters", "", False),
        ("AP News", "AP", "", False),
        ("Associated Press", "AP", "", False),
        ("Morning wires", "RIA Novosti", "ria.ru", False),
        ("Apulia Post", "AP", "", True),
        ("Valley Star", "AP", "ria.ru", True),
    ],
)
def test_an_agencys_own_site_is_not_said_to_have_its_text(editions, outlet, agency, site, told):
    edition = editions.small()
    story = edition.stories[0]
    url = f"https://{site}/1.html" if site else story.mentions[0].url
    mention = replace(story.mentions[0], outlet=outlet, agency=agency, url=url)
    story = replace(story, mentions=(mention, *story.mentions[1:]))
    section = replace(edition.sections[0], stories=(story,))

    text = one(replace(edition, sections=(section,)), "text")

    assert bool(re.search(rf"{outlet}, [^;]*{agency} text", text)) is told


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_sentence_with_an_agencys_text_names_the_agency(editions, form):
    edition = editions.small()
    story = edition.stories[0]
    quoted = story.summary[0]
    mention = replace(story.mentions[0], article_id=quoted.article_id, outlet=quoted.outlet, agency="AFP")
    story = replace(story, summary=(quoted,), mentions=(mention, *story.mentions[1:]))

    text = as_text(replace(edition, sections=(replace(edition.sections[0], stories=(story,)),)), form)

    quotation = " ".join(text.split()).partition(quoted.text[-30:])[2]
    assert re.match(rf"[^;]{{0,20}}{quoted.outlet}[^;]{{0,90}}?, with AFP text, ", quotation)


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_a_report_that_a_link_blog_brought_says_by_way_of_which(editions, form):
    edition = editions.small()
    story = edition.stories[0]
    mention = replace(story.mentions[-1], outlet="paper.example", via="Example *Links*")
    story = replace(story, mentions=(*story.mentions[:-1], mention))

    text = one(replace(edition, sections=(replace(edition.sections[0], stories=(story,)),)), form)

    assert re.search(r"by way of Example \\?\*Links", " ".join(text.split()))


def test_an_edition_speaks_its_language_in_its_time_zone(editions):
    edition = replace(editions.small(), language="de", timezone="America/Sao_Paulo", previous=None)

    source, page = one(edition, "markdown"), one(edition, "html")

    assert "# World Digest Nr. 148, Freitag, 14. März 2025" in source
    assert "auf Französisch" in source
    assert "Spanien" in page
    assert "01:36 UTC−03" in source
    assert "In dieser Ausgabe" in source
    assert "5 Kopien von Agenturtexten" in page


def test_a_language_without_phrases_gets_english_ones_and_its_own_names(editions):
    edition = replace(editions.small(), language="ja")

    source = one(edition, "html")

    assert "9 outlets, 4 independent" in source
    assert "フランス" in source
    assert '<html lang="ja" dir="ltr">' in source


def test_a_digest_of_a_right_to_left_language_is_set_from_the_right(editions):
    source = one(replace(editions.small(), language="ar"), "html")

    assert '<html lang="ar" dir="rtl">' in source
    assert re.search(r'lang="en" dir="ltr">Dam gives way', source)


def test_the_note_is_markdown_in_one_form_and_clean_html_in_the_others(editions):
    edition = replace(editions.small(), note="Hello *all*.\n\n<script>alert(1)</script>")

    assert "Hello *all*." in one(edition, "markdown")
    assert "<p>Hello <em>all</em>.</p>" in one(edition, "html")
    assert "<script" not in one(edition, "html")


def test_front_matter_is_yaml_whatever_the_title_holds(editions):
    edition = replace(editions.small(), title='A "digest": #1\n---\n- x', digest="w: [x]")

    front = one(edition, "markdown").split("\n---\n")[0]

    assert front.startswith(
        '---\ntitle: "A \\"digest\\": #1 --- - x No. 148, Friday, 14 March 2025"\ndate: 2025-03-14\n'
    )
    assert '\ndigest: "w: [x]"\n' in front
    assert "previous: 2025-03-13.md" in front


@pytest.mark.slow
def test_the_first_edition_of_all_calls_nothing_new(editions):
    first = replace(editions.small(), previous=None)

    for form in ("markdown", "html", "text"):
        assert "New" in one(editions.small(), form)
        assert "New" not in one(first, form).replace("New Zealand", "")


def test_a_foreign_storys_own_headline_is_not_told_again_among_its_sources(editions):
    edition = editions.small()
    story = edition.stories[0]
    own = replace(story.mentions[0], title="Mouvement de grève", url=story.url, language="fr", shows_title=True)
    other = replace(story.mentions[1], title="Huelga general", language="es", shows_title=True)
    story = replace(
        story,
        title=own.title,
        title_language="fr",
        mentions=(own, other),
        perspectives=(),
        differences=(),
        outlets=2,
        independent=2,
        folded=0,
    )
    section = replace(edition.sections[0], stories=(story,))

    for form in ("markdown", "text", "html"):
        body = one(replace(edition, sections=(section,)), form)
        body = body[body.index("<body") :] if form == "html" else body
        assert body.count(own.title) == 2, form  # in the contents and above the story
        assert body.count(other.title) == (1 if form == "html" else 0), form
        assert own.outlet in body
        assert other.outlet in body


def test_a_story_of_few_articles_has_no_trend_and_no_picture_of_it(editions):
    edition = editions.small()
    section = replace(edition.sections[0], stories=(replace(edition.stories[0], trend=""),))

    page = one(replace(edition, sections=(section,)), "html")

    assert 'class="spark"' in one(edition, "html")
    assert 'class="spark"' not in page and "steady" not in page


@pytest.mark.parametrize("form", ["markdown", "html", "text", "eml"])
@pytest.mark.slow
def test_a_french_label_has_its_blank_before_the_colon(editions, form):
    (made,) = render(replace(editions.moved(), language="fr"), [form])
    body = quopri.decodestring(made.body) if form == "eml" else made.body

    source = body.decode()

    assert "Sources\u00a0:" in source or form == "text"
    assert "Depuis hier\u00a0:" in source
    assert not re.search(
        r"(Sources|Depuis hier|diffère|sujet|navigateur|abonner|modifié)\s?:(?!/)", source.replace("\u00a0:", "")
    )


def test_a_german_date_is_plain_in_the_middle_of_a_line(editions):
    source = one(replace(editions.moved(), language="de"), "markdown")

    assert ", 13. März, 21:30" in source
    assert "&#46; März" not in source


def test_a_story_names_three_outlets_beside_those_quoted_in_a_file_and_all_where_a_page_folds_them(editions):
    story = editions.story(1, outlets=9)
    edition = editions.edition((editions.Section(title="Asia", anchor="asia", stories=(story,)),))

    (line,) = re.findall(r"^9 outlets, .*$", one(edition, "markdown"), re.MULTILINE)
    page = lxml_html.document_fromstring(one(edition, "html"))
    (fold,) = page.xpath("//details[@class='proof']")

    assert line.count("](") == 3
    assert fold.get("open") is None
    assert {mention.outlet for mention in story.mentions} == {link.text_content() for link in fold.xpath(".//p/a")} | {
        name.text_content() for name in fold.iter("bdi")
    }


@pytest.mark.parametrize("form", ["markdown", "html", "text", "eml"])
def test_a_headline_of_several_outlets_in_another_language_is_shown_once_at_most(editions, form):
    story = editions.story(1)
    first, *others = story.mentions
    title = "Une digue se rompt"
    told = [replace(mention, title=title, language="fr", shows_title=True) for mention in others]
    story = replace(story, mentions=(first, *told), perspectives=())
    section = editions.Section(title="Asia", anchor="asia", stories=(story,))

    assert as_text(editions.edition((section,)), form).count(title) <= 1


def test_marks_that_most_stories_have_are_left_out(editions):
    stories = [editions.story(n) for n in range(1, 6)]
    old = [replace(story, status="developing", day=2, trend="fading") for story in stories[:4]]
    new = replace(stories[4], status="new", day=1, trend="rising")
    early = editions.END - timedelta(hours=20)
    times = [replace(story, updated_at=early) for story in old]
    new = replace(new, updated_at=editions.END, latest=replace(new.mentions[0], published_at=editions.END))
    section = editions.Section(title="Asia", anchor="asia", stories=(*times, new))

    shown = edition_view(editions.edition((section,))).stories

    assert [story.day for story in shown] == ["", "", "", "", "New"]
    assert [story.trend for story in shown] == ["", "", "", "", "rising"]
    assert [bool(story.shown_update) for story in shown] == [False, False, False, False, True]
    assert all("updated" in story.folded_facts for story in shown[:4])  # not lost where a form folds


def test_a_story_of_several_reports_is_updated_if_what_it_tells_is_of_that_time(editions):
    untold = [replace(editions.story(n), updated_at=editions.END) for n in range(1, 7)]
    late = replace(untold[4], latest=replace(untold[4].mentions[0], published_at=editions.END))
    single = replace(late, id="single", anchor="single", articles=1)
    section = editions.Section(title="Asia", anchor="asia", stories=(*untold[:4], late, single))

    shown = edition_view(editions.edition((section,))).stories

    assert [bool(story.shown_update) for story in shown] == [False, False, False, False, True, False]


def test_marks_stay_in_an_edition_of_few_stories(editions):
    stories = tuple(replace(editions.story(n), status="developing", day=2) for n in (1, 2, 3))
    section = editions.Section(title="Asia", anchor="asia", stories=stories)

    shown = edition_view(editions.edition((section,))).stories

    assert [story.day for story in shown] == ["Day 2"] * 3
    assert all(story.shown_update for story in shown)


def test_the_stories_of_a_long_page_open_one_by_one_and_those_of_a_short_one_are_open(editions):
    long, short = (
        lxml_html.document_fromstring(one(edition, "html")) for edition in (editions.rich(), editions.small())
    )

    folds = long.xpath("//details[@class='story']")

    assert [fold.get("open") is not None for fold in folds] == [True] + [False] * 11
    assert all(fold.getprevious().tag == "h3" and fold[0].text_content().strip() for fold in folds)
    assert not short.xpath("//details[@class='story']")


def test_what_is_left_out_between_two_sentences_of_a_report_is_marked(editions):
    story = editions.story(1)
    first = story.summary[0]
    next_one = replace(first, text="The bridge is closed.", offset=first.offset + len(first.text) + 1)
    far_one = replace(next_one, offset=next_one.offset + 200)

    def told(*sentences):
        section = editions.Section(title="Asia", anchor="asia", stories=(replace(story, summary=sentences),))
        return one(editions.edition((section,)), "text").replace("\n", " ")

    assert f"{first.text} The bridge is closed." in told(first, next_one)
    assert f"{first.text} […] The bridge is closed." in told(first, far_one)
