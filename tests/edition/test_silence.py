"""Who is said not to report a story: only outlets that were read, and only if no article of theirs may be a report."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY
from tests.edition.factory import make_edition
from watcher.model import Source
from watcher.store.feeds import sync_sources
from watcher.store.schema import articles, feeds, pages
from watcher.store.writer import write

pytestmark = pytest.mark.slow

NOW = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
WORLD = DigestSettings.model_validate({"name": "world"}, context={})
FLOODS = (
    (
        "Flood in Orlen in Belgium drives 318 people from home. The Orlen rose at Marsk by two metres, mayor Vera "
        "Tosk said. The mill stands under water up to its roof, and the bridge is gone."
    ),
    (
        "Orlen flood in Belgium: 318 people leave Marsk by boat. Vera Tosk, the mayor, asked for sandbags against the "
        "Orlen. Water stands in the mill, and nobody can cross where the bridge was."
    ),
    (
        "In the Orlen flood 318 people of Belgium flee from Marsk. Soldiers came at noon, and mayor Vera Tosk thanked "
        "them. They will stay until the water is out of the mill."
    ),
)
OTHERS = (
    (
        "Chess club of Brindle wins the Varga cup. Captain Petra Moll took the last game after five hours, with a rook "
        "against two knights, and thanked her trainer in tears."
    ),
    (
        "Bakers of Lunden strike for a shorter night. The ovens of the old town stay cold, a union said, as long as "
        "work begins at two in the morning."
    ),
    (
        "New ferry crosses the strait of Halm. It carries ninety cars, is driven by batteries, and needs a quarter of "
        "an hour less than the steamer that it replaces."
    ),
    (
        "A goat stops the train to Kilbrannan. Two men led the animal from the rails with a bag of apples, and "
        "travellers clapped from every window."
    ),
)
BRITISH, FRENCH = [f"Herald{n}" for n in range(3)], [f"Courrier{n}" for n in range(4)]


@pytest.fixture
def sources(engine):
    """Seven sources, all read a quarter of an hour before the edition."""
    rows = [Source(url=f"https://{name.lower()}.example/feed", name=name) for name in (*BRITISH, *FRENCH)]
    write(engine, sync_sources, rows, now=NOW - DAY)
    set_feeds(engine, last_polled_at=NOW - HOUR / 4, last_read_at=NOW - HOUR / 4)


@pytest.fixture
def flood(sources, put):
    for n, (name, text) in enumerate(zip(BRITISH, FLOODS, strict=True)):
        put(name, text, NOW - (n + 3) * HOUR)


def add_waiting_page(engine, name):
    """Note a page that a source's feed has listed, and that is still to be fetched."""
    page = {"article_id": "new", "url": "https://x.example/1", "host": "x.example", "entry": {}, "tries": 0}
    feed_id = select(feeds.c.id).where(feeds.c.name == name).scalar_subquery()
    more = {"feed_id": feed_id, "added_at": NOW - HOUR, "next_try_at": NOW}
    write(engine, lambda c: c.execute(insert(pages).values(page | more)))


def set_feeds(engine, name=None, **values):
    those = update(feeds).values(values)
    write(engine, lambda c: c.execute(those if name is None else those.where(feeds.c.name == name)))


def edition(engine, *, end=NOW, digest=WORLD):
    order = EditionRequest(local_date=end.date(), window_start=end - DAY, window_end=end, slot=DAILY)
    return make_edition(engine, digest, order, now=end)


def silent(engine, **digest):
    made = edition(engine, digest=DigestSettings.model_validate({"name": "world"} | digest, context={}))
    (story,) = (each for each in made.stories if "lood" in each.title)
    return [(each.name, each.outlets) for each in story.silent]


def put_french(put, texts=OTHERS, country="FR", **more):
    return [
        put(name, text, NOW - (n + 2) * HOUR, country=country, **more)
        for n, (name, text) in enumerate(zip(FRENCH, texts, strict=True))
    ]


def test_a_country_whose_articles_are_all_far_from_a_story_does_not_report_it(engine, flood, put):
    articles = put_french(put)

    (story,) = (each for each in edition(engine).stories if "lood" in each.title)

    (missing,) = story.silent
    assert (missing.group, missing.name, missing.outlets) == ("country", "FR", 4)
    assert missing.nearest in {article.id for article in articles}
    assert missing.likeness < 0.3


@pytest.mark.parametrize(("country", "silence"), [("BE", 4), ("NL", 4), ("KE", 0), ("US", 0)])
def test_silence_is_said_of_the_country_of_a_story_and_of_its_neighbours(engine, flood, put, country, silence):
    put_french(put, country=country)

    assert silent(engine) == ([(country, silence)] if silence else [])


def test_silence_is_said_of_any_country_if_most_of_the_world_reports_a_story(engine, flood, put):
    put_french(put, country="KE")
    for n, country in enumerate(("DE", "JP", "BR", "IN")):
        put(f"World{n}", f"{FLOODS[n % 3]} Chancellor Gun{n} sent {n + 5} boats.", NOW - 3 * HOUR, country=country)

    assert silent(engine) == [("KE", 4)]


def test_a_country_with_an_opinion_piece_on_a_story_is_not_silent(engine, flood, put):
    put_french(put)
    put("Courrier9", f"{FLOODS[1]} It is a shame.", NOW - 2 * HOUR, country="FR", kind="opinion")

    assert silent(engine) == []


def test_a_source_with_pages_that_are_not_fetched_yet_is_not_said_to_be_silent(engine, flood, put):
    put_french(put)
    add_waiting_page(engine, FRENCH[0])

    assert silent(engine) == []


def test_an_article_that_may_be_a_report_forbids_to_say_so(engine, flood, put):
    near = "Marsk under water. Vera Tosk wept as the Orlen took the mill, and a hundred others lost a bed."
    put_french(put, (*OTHERS[:3], near))

    assert silent(engine) == []


def test_titles_alone_show_no_silence_without_vectors(engine, sources, put):
    for n, (name, text) in enumerate(zip(BRITISH, FLOODS, strict=True)):
        put(name, text.partition(". ")[0], NOW - (n + 3) * HOUR)
    put_french(put, [text.partition(". ")[0] for text in OTHERS])

    assert silent(engine, must=["flood"]) == []  # else it would take one line, as it has no sentence


def test_a_country_with_a_headline_alone_of_the_story_is_not_silent(engine, flood, put):
    put_french(put)
    put(FRENCH[0], "", NOW - 7 * HOUR, country="FR", title="Flood in Orlen drives 318 people out of Marsk")

    (story,) = (each for each in edition(engine).stories if "lood" in each.title)

    assert (story.headline_only, story.independent) == (1, 3)
    assert story.silent == ()


def test_an_earlier_report_of_the_story_forbids_to_say_so(engine, flood, put):
    put_french(put)
    put("Courrier9", f"{FLOODS[1]} The water still rises.", NOW - 30 * HOUR, country="FR")

    assert silent(engine) == []


def test_without_vectors_nothing_is_said_of_another_language(engine, flood, put):
    put_french(put, ("Le chat dort.", "Il pleut sur Nantes.", "La mairie ferme.", "Un vélo volé."), language="fr")

    assert silent(engine) == []


def test_a_source_whose_feed_was_cut_is_named_as_read_in_part_and_is_not_said_to_be_silent(engine, flood, put):
    put_french(put)
    set_feeds(engine, last_new_at=NOW - HOUR)
    set_feeds(engine, FRENCH[0], is_cut=True)

    made = edition(engine)
    ledger, (story,) = made.ledger, (each for each in made.stories if "lood" in each.title)

    (named,) = ledger.failing
    assert (named.name, str(named.reason)) == (FRENCH[0], "read in part: the feed ends in the middle")
    assert (ledger.sources_ok, ledger.sources_total) == (6, 7)
    assert [each.outlets for each in story.silent] == []


def test_outlets_that_are_known_from_the_links_of_others_are_not_said_to_be_silent(engine, flood, put):
    put_french(put)
    write(engine, lambda c: c.execute(update(feeds).where(feeds.c.name.in_(FRENCH)).values(enabled=False)))
    write(engine, lambda c: c.execute(update(articles).where(articles.c.outlet.in_(FRENCH)).values(via="Links")))

    assert silent(engine) == []


@pytest.mark.parametrize(
    "failed",
    [
        {"failing_since": NOW - 5 * HOUR, "failures": 3, "last_read_at": NOW - 6 * HOUR},
        {"last_read_at": NOW - 6 * HOUR},
        {"last_read_at": None},
    ],
)
def test_an_outlet_whose_feed_did_not_answer_up_to_the_edition_was_not_read(engine, flood, put, failed):
    put_french(put)
    set_feeds(engine, FRENCH[0], **failed)

    assert silent(engine) == []


def test_a_failure_after_the_window_is_of_no_matter(engine, flood, put):
    put_french(put)
    set_feeds(engine, failing_since=NOW + HOUR, failures=1, last_read_at=NOW + HOUR / 2)

    assert silent(engine) == [("FR", 4)]


def test_imported_articles_of_a_source_that_was_never_polled_count(engine, flood, put):
    put_french(put)
    set_feeds(engine, last_polled_at=None, last_read_at=None)

    assert silent(engine) == [("FR", 4)]


def test_imported_articles_of_outlets_without_a_source_count(engine, flood, put):
    for n, text in enumerate(OTHERS):
        put(f"Krant{n}", text, NOW - (n + 2) * HOUR, country="NL")

    assert silent(engine) == [("NL", 4)]


def test_a_story_is_no_longer_reported_only_if_its_outlets_were_read(engine, flood, put):
    edition(engine, end=NOW)
    set_feeds(engine, last_polled_at=NOW + DAY, last_read_at=NOW + DAY)
    put("Courrier0", OTHERS[0], NOW + 20 * HOUR, country="FR")
    set_feeds(engine, BRITISH[1], last_read_at=NOW + 2 * HOUR)
    unsure = make_edition(engine, WORLD, request(NOW + DAY), now=NOW + DAY)
    set_feeds(engine, BRITISH[1], last_read_at=NOW + DAY)
    sure = make_edition(engine, WORLD, request(NOW + DAY), now=NOW + DAY)

    assert unsure.ended == ()
    assert ["lood" in brief.title for brief in sure.ended] == [True]


def request(end, slot=None):
    return EditionRequest(local_date=end.date(), window_start=end - DAY, window_end=end, slot=slot)
