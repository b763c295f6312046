"""Told in one line or not at all: stories that the reader cannot read, and what is no report."""

from dataclasses import replace

from digests.compose.story import find_headline
from tests.compose.factories import article, by_id, edition_of, make_context, report, story, world


def japanese():
    return [report(f"J{n}", "地震", "日本", 120, language="ja", country="JP") for n in range(5)]


def test_a_story_in_a_language_that_the_reader_does_not_read_stands_in_one_line_and_takes_no_place():
    edition = edition_of([japanese(), world()[0], world()[1]], stories=1, briefs=2)

    (line, brief), (shown,) = edition.briefs, edition.stories
    assert (line.title, line.language, line.status, line.places, line.outlets) == (
        "地震 日本 120", "ja", "foreign", ("Japan",), 5,
    )  # fmt: skip
    assert (shown.title_language, brief.language, brief.status) == ("en", "en", "")
    counts = edition.ledger.counts
    assert (counts["stories_found"], counts["stories_shown"], counts["briefs_shown"]) == (3, 1, 2)
    assert counts["stories_left_out"] == 0


def test_a_story_is_told_in_full_in_any_language_that_the_reader_reads():
    (shown,) = edition_of([japanese()], reads=("en", "ja-JP")).stories

    assert (shown.title, shown.title_language) == ("地震 日本 120", "ja")
    assert all(m.shows_title for m in shown.mentions)
    assert [s.language for s in shown.summary] == ["ja"]


def test_the_language_that_the_reader_names_first_comes_first():
    both = [report("B0", "Fire", "Portugal", 41), report("B1", "Brand", "Portugal", 41, language="de")]

    ((german,), (english,)) = (edition_of([both], reads=reads).stories for reads in (("de", "en"), ("en", "de")))

    assert (german.title_language, {s.language for s in german.summary}) == ("de", {"de"})
    assert (english.title_language, {s.language for s in english.summary}) == ("en", {"en"})


def test_a_readable_headline_without_a_sentence_that_the_reader_can_read_takes_one_line():
    headline = article("Post", "Fire in Portugal drives 41 from their homes", language="en", hours=13)

    edition = edition_of([[report("B1", "Brand", "Portugal", 41, language="de"), headline]])

    assert not edition.stories
    assert [brief.title for brief in edition.briefs] == [headline.title]


def test_where_most_outlets_have_a_headline_alone_the_title_of_the_one_with_a_text_may_be_odd():
    odd = article("Gossip", "Executive calls the couple of Ostrand grifters", "The couple and the studio part. " * 9)
    bare = [article(f"Post{n}", f"Couple of Ostrand and studio part after {n} years", "", hours=n) for n in (3, 4, 5)]
    others = by_id(*(report(f"Other{n}", "Flood", "Nepal", 300, hours=n / 9) for n in range(99)))

    def chosen(*reports):
        return find_headline(story(*reports), make_context(others | by_id(*reports))).article.outlet

    assert chosen(odd, *bare[:2]) == "Gossip"
    assert chosen(odd, *bare) != "Gossip"


def test_an_analysis_is_the_headline_only_if_there_is_no_news():
    fire = [report(f"Post{n}", "Fire", "Portugal", 41, hours=2 + n) for n in range(2)]
    feature = report("Field", "Fire", "Portugal", 41, hours=5, kind="analysis")  # the freshest of one title

    def chosen(*reports):
        return find_headline(story(*reports), make_context(by_id(*reports))).article.kind

    assert chosen(*fire, feature) == "article"
    assert chosen(*(replace(each, kind="analysis") for each in fire), feature) == "analysis"


def test_the_title_of_a_live_page_is_the_headline_only_if_there_is_no_other():
    fire = [report(f"Post{n}", "Fire", "Portugal", 41, hours=2 + n) for n in range(2)]
    page = replace(report("Field", "Fire", "Portugal", 41, hours=5), url="https://field.example/fire/live-20260309")

    def chosen(*reports):
        return find_headline(story(*reports), make_context(by_id(*reports))).article.outlet

    assert chosen(*fire, page) == "Post1"
    assert chosen(page) == "Field"


def test_a_gallery_is_no_report():
    pictures = article("Post", "In pictures: a bridge and a storm", "This is the bridge at night. " * 9, kind="gallery")
    bridge = article("Post", "Bridge opens in Hellesund", "The bridge was opened by the mayor on Monday. " * 9)

    edition = edition_of([[pictures], [bridge]])

    assert [s.article_ids for s in edition.stories] == [(bridge.id,)]
    assert edition.briefs == ()


def test_an_opinion_piece_is_named_under_its_story_and_counted_nowhere():
    flood = world()[0]
    piece = article("Le Mont", "Nobody had to drown in Nepal", flood[0].text, kind="opinion", country="FR", hours=1)
    second = article("Le Mont", "Nepal again", flood[0].text, kind="opinion", country="FR", hours=2)

    ((shown,), (plain,)) = (edition_of([group]).stories for group in ([*flood, piece, second], flood))

    assert [(each.outlet, each.article_id) for each in shown.comments] == [("Le Mont", piece.id)]
    assert plain.comments == ()
    for name in ("title", "outlets", "independent", "article_ids", "countries", "summary", "first_seen_at"):
        assert getattr(shown, name) == getattr(plain, name)


def test_a_service_piece_is_left_out_and_counted():
    flood = world()[0]
    tips = article("Post", "How to dry a carpet after a flood in Nepal", flood[0].text, kind="service")

    edition = edition_of([[*flood, tips]])

    assert tips.id not in edition.stories[0].article_ids
    assert [(out.kind, out.count) for out in edition.ledger.left_out] == [("service", 1)]


def test_live_blogs_and_round_ups_count_nowhere_and_tell_no_story():
    flood, storm = world()[0], world()[3]
    blog = article("Live", "Live: flood in Nepal", flood[0].text, kind="live", country="IN", hours=7)
    briefing = article("Post", "Morning briefing: a flood and a storm", "What you need to know. " * 9, kind="roundup")

    edition = edition_of([[*flood, blog], storm, [briefing]])

    assert [(s.outlets, blog.id in s.article_ids) for s in edition.stories] == [(4, False), (1, False)]
    assert not edition.briefs
    assert edition.ledger.stories_found == 2
    assert [(out.kind, out.count) for out in edition.ledger.left_out] == [("collection", 2)]
