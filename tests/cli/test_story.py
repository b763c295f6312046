"""`watcher story` and `watcher explain`: what a story is, why, and what a reader may correct for good."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text

from digests.compose.rank import WEIGHTS
from digests.edition.schedule import EditionRequest
from digests.settings.digests import DigestSettings
from digests.store.keys import DAILY, parse_slot
from digests.store.stories import revoke
from tests.edition.factory import make_edition
from tests.edition.test_silence import FLOODS, OTHERS
from watcher.cli.output import _format_time
from watcher.store.writer import write

MORNING = datetime(2026, 11, 24, 6, 30, tzinfo=UTC)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
QUAKE = (
    "Quake shakes Tarvola. A quake of magnitude 5.4 shook Tarvola in the Dressel valley, mayor Henrik Oster said {}."
)

pytestmark = pytest.mark.slow  # together they take some seconds
CHESS = "Brindle wins the Varga cup. The chess club of Brindle won the Varga cup in Lunden, captain Petra Moll said {}."
WORLD = DigestSettings.model_validate({"name": "world"}, context={})


@pytest.fixture
def press(put):
    """Six articles on two events."""
    quake = [put(f"Quake{n}", QUAKE.format(f"to reporter {n}"), MORNING - (n + 1) * HOUR) for n in range(3)]
    chess = [put(f"Chess{n}", CHESS.format(f"to reporter {n}"), MORNING - (n + 5) * HOUR) for n in range(2)]
    return quake, chess


def edition(engine, days=0, *, slot=DAILY, after=0 * HOUR):
    end = MORNING + days * DAY
    order = EditionRequest(
        local_date=date(2026, 11, 24) + days * DAY, window_start=end - DAY, window_end=end, slot=slot
    )
    return make_edition(engine, WORLD, order, now=end + after)


def stories(made):
    return {frozenset(story.article_ids): story.id for story in (*made.stories, *made.briefs)}


def ids(*articles):
    return frozenset(article.id for article in articles)


def test_a_story_is_shown_by_its_number_its_id_the_beginning_of_it_and_its_anchor(watcher, press, engine):
    made = edition(engine)
    first = made.stories[0]

    shown = [watcher("story", each)[:2] for each in ("1", first.id, first.id[:6], first.anchor)]

    assert len({out for _, out in shown}) == 1
    assert shown[0][0] == 0
    assert all(f"{key}  https://" in shown[0][1] for key in first.article_ids)


def test_the_list_has_the_ids_of_the_last_edition(watcher, press, engine):
    made = edition(engine)

    code, out, _ = watcher("story", "list", "--json")

    assert code == 0
    assert [row["id"] for row in json.loads(out)] == [story.id for story in (*made.stories, *made.briefs)]


def test_a_number_is_of_the_edition_that_was_made_last(watcher, press, engine):
    edition(engine)
    edition(engine, slot=parse_slot("09:00:00.000000"), after=HOUR)

    assert watcher("story", "list")[1].startswith("World Digest no. 2")
    assert "the newest edition (World Digest no. 2, 2026-11-24) has no story 9" in watcher("story", "9")[2]


def test_why_names_what_the_reports_share(watcher, put, engine):
    put("Herald", QUAKE.format("at dawn"), MORNING - 4 * HOUR)
    put(
        "Tribune", "Tarvola trembles. In Tarvola the Dressel valley shook by 5.4, Henrik Oster told us.", MORNING - HOUR
    )
    (story,) = edition(engine).stories

    _, out, _ = watcher("story", story.id, "--why")

    assert "why: most probably on one event with Herald, “Quake shakes Tarvola”" in out
    assert "why: names in both: Tarvola, Dressel, Henrik, Oster" in out
    assert "why: numbers in both: 5.4" in out
    assert "why: published 3 hours apart" in out
    assert "Number 1 in the last edition (World Digest no. 1, 2026-11-24), with a score of " in out
    weight = WEIGHTS["independent"]
    assert f"+{weight:.2f}  independent: 2 independent reports (1 × {weight:g})" in out


def test_a_report_that_is_not_quoted_says_that_its_text_is_doubtful(watcher, put, engine):
    put("Herald", QUAKE.format("at dawn"), MORNING - 4 * HOUR)
    trembles = "Tarvola trembles. In Tarvola the Dressel valley shook by 5.4, Henrik Oster told us."
    put("Tribune", trembles, MORNING - HOUR, kind="doubtful")
    (story,) = edition(engine).stories

    _, out, _ = watcher("story", story.id)

    assert "Tribune (text doubtful, not quoted), en" in out
    assert {sentence.outlet for sentence in story.summary} == {"Herald"}


def test_a_story_is_explained_by_the_nearest_article_of_each_country_that_is_silent(watcher, put, engine):
    for n, told in enumerate(FLOODS):
        put(f"Herald{n}", told, MORNING - (n + 2) * HOUR)
    others = [put(f"Courrier{n}", told, MORNING - 3 * HOUR, country="FR") for n, told in enumerate(OTHERS)]
    number = next(story.number for story in edition(engine).stories if "lood" in story.title)

    code, out, _ = watcher("explain", str(number))
    _, told, _ = watcher("explain", str(number), "--json")

    (row,) = json.loads(told)
    assert code == 0
    assert out.startswith("France: 4 outlets read, none reported it. The most similar article:")
    assert row["nearest"] in {article.id for article in others} and row["nearest"] in out
    assert f"Similarity {row['likeness']:.2f} (at " in out


def test_a_story_that_no_last_edition_shows_is_not_explained(watcher, press, engine):
    gone = edition(engine).stories[0].id
    edition(engine, 4)

    code, _, err = watcher("explain", gone)

    assert code == 1
    assert f"no digest's last edition shows story {gone} in full" in err


def test_a_number_is_of_the_first_digest_and_so_is_the_place(watcher, press, engine, tmp_path):
    path = tmp_path / "settings.toml"
    path.write_text(f'{path.read_text()}[[digests]]\nname = "other"\n')
    edition(engine)
    weights = {"words": {"chess": 9.0}}
    other = DigestSettings.model_validate({"name": "other", "title": "Other", "weights": weights}, context={})
    order = EditionRequest(
        local_date=date(2026, 11, 24),
        window_start=MORNING - DAY,
        window_end=MORNING,
        slot=DAILY,
    )
    make_edition(engine, other, order, now=MORNING + HOUR)

    _, out, _ = watcher("story", "1", "--why")
    _, told, _ = watcher("story", "1", "--json")

    assert "Number 1 in the last edition (World Digest no. 1, 2026-11-24), with a score of " in out
    assert (json.loads(told)["digest"], json.loads(told)["number"]) == ("world", 1)


def test_a_storys_score_is_the_sum_of_its_terms(watcher, press, engine):
    made = edition(engine).stories[0]

    _, out, _ = watcher("story", "1", "--json")

    told = json.loads(out)
    assert (told["number"], told["score"]) == (1, made.score)
    assert round(sum(term["value"] * term["weight"] for term in told["terms"]), 6) == made.score


def test_a_copy_is_shown_with_how_it_differs(watcher, put, engine):
    words = " ".join(f"{QUAKE.format(f'at {n} o clock')[len('Quake shakes Tarvola. ') :]}" for n in range(6))
    put("Herald", f"Quake shakes Tarvola. {words}", MORNING - 4 * HOUR)
    put("Tribune", f"Tarvola trembles. {words}", MORNING - HOUR)
    (story,) = edition(engine).stories

    _, out, _ = watcher("story", story.id)

    assert "1 report:" in out
    assert "= Tribune, 2026-11-24 05:30: full text, different headline" in out


def test_what_a_reader_takes_out_is_out_of_every_edition_from_then_on(watcher, press, put, engine):
    quake, _ = press
    monday = stories(edition(engine))[ids(*quake)]

    code, out, _ = watcher("story", "split", monday, quake[0].id)
    again = put("Quake9", QUAKE.format("on the radio"), MORNING + HOUR)
    found = stories(edition(engine, 1))

    assert code == 0
    assert monday in out
    assert [key for _, key in shown(engine, quake[1].id, quake[2].id)] == [monday]
    assert not any({quake[0].id, quake[1].id} <= members for members in found)
    assert any(again.id in members for members in found)
    _, told, _ = watcher("story", monday)
    assert f"1 article of {monday} became a story of its own" in told
    assert "user correction 1" in told


def shown(engine, *articles):
    """Return the stories of the store that hold `articles`, as (members, id)."""
    with engine.connect() as connection:
        rows = connection.execute(text("SELECT article_id, story_id FROM story_articles")).all()
    found = {}
    for article, story in rows:
        found.setdefault(story, set()).add(article)
    return [(members, story) for story, members in found.items() if set(articles) <= members]


def test_what_a_reader_joins_is_one_story_from_then_on_and_the_old_id_leads_to_it(watcher, press, put, engine):
    quake, chess = press
    made = stories(edition(engine))
    ours, theirs = made[ids(*quake)], made[ids(*chess)]

    code, _, _ = watcher("story", "join", theirs, ours)
    put("Quake9", QUAKE.format("on the radio"), MORNING + HOUR)
    edition(engine, 1)

    assert code == 0
    assert [key for _, key in shown(engine, *ids(*quake, *chess))] == [ours]
    _, out, _ = watcher("story", theirs)
    assert f"{theirs} “Brindle wins the Varga cup” no longer exists: its articles are in {ours}." in out
    assert f"{theirs} was merged into {ours} (2 articles): user correction 1" in out


def test_a_correction_that_is_forgotten_holds_no_longer(watcher, press, put, engine):
    quake, _ = press
    monday = stories(edition(engine))[ids(*quake)]
    watcher("story", "split", monday, quake[0].id)

    assert "split" in watcher("story", "rules")[1]
    assert watcher("story", "forget", "1")[0] == 0
    put("Quake9", QUAKE.format("on the radio"), MORNING + HOUR)
    edition(engine, 1)

    assert len(shown(engine, *ids(*quake))) == 1
    assert "no corrections; watcher story split" in watcher("story", "rules")[1]
    assert watcher("story", "forget", "1")[0] == 1


def test_a_join_that_is_forgotten_leaves_two_stories_as_they_were(watcher, press, put, engine):
    quake, chess = press
    made = stories(edition(engine))
    before = {key: spans(watcher, key) for key in made.values()}
    watcher("story", "join", made[ids(*quake)], made[ids(*chess)])
    edition(engine)
    watcher("story", "forget", "1")
    put("Quake9", QUAKE.format("on the radio"), MORNING + HOUR)
    edition(engine, 1)

    ours, theirs = made[ids(*quake)], made[ids(*chess)]
    assert [key for _, key in shown(engine, *ids(*quake))] == [ours]
    assert shown(engine, *ids(*chess)) == [(ids(*chess), theirs)]
    assert spans(watcher, theirs) == before[theirs]
    grown = {"last_at": _format_time(MORNING + HOUR), "size": len(quake) + 1}
    assert spans(watcher, ours) == before[ours] | grown
    assert f"2 articles of {ours} became a story of their own, {theirs}: " in watcher("story", theirs)[1]
    assert "is no more" not in watcher("story", theirs)[1]


def test_a_join_with_a_story_of_long_ago_can_be_forgotten(watcher, press, put, engine):
    quake, chess = press
    made = stories(edition(engine))
    old = made[ids(*quake)]
    later = [put(f"Later{n}", QUAKE.format(f"in court, part {n}"), MORNING + 30 * DAY - HOUR) for n in range(2)]
    new = stories(edition(engine, 30))[ids(*later)]
    before = {key: spans(watcher, key) for key in (old, new)}
    watcher("story", "join", old, new)

    assert write(engine, revoke, 1, now=MORNING + 30 * DAY + HOUR)
    watcher("story", "split", made[ids(*chess)], chess[0].id)  # another correction in between
    edition(engine, 3)  # looking back
    assert shown(engine, *ids(*quake, *later))
    edition(engine, 31)

    assert {key: spans(watcher, key) for key in (old, new)} == before
    assert shown(engine, *ids(*later)) == [(ids(*later), new)]
    assert "user correction 1, which joined them, was revoked" in watcher("story", new)[1]


def test_a_split_undoes_a_join_for_both_ids(watcher, press, engine):
    quake, chess = press
    made = stories(edition(engine))
    ours, theirs = made[ids(*quake)], made[ids(*chess)]
    before = {key: spans(watcher, key) for key in (ours, theirs)}
    watcher("story", "join", ours, theirs)

    watcher("story", "split", ours, *ids(*chess))
    edition(engine)

    assert dict(map(frozen, shown(engine))) == made
    assert {key: spans(watcher, key) for key in (ours, theirs)} == before
    assert watcher("story", ours, "--json")[1].count('"merged_ids": []') == 2


def test_an_old_id_leads_to_where_most_of_its_articles_are(watcher, press, engine):
    quake, chess = press
    made = stories(edition(engine))
    ours, theirs = made[ids(*quake)], made[ids(*chess)]
    watcher("story", "join", ours, theirs)
    watcher("story", "split", ours, chess[0].id, chess[1].id, quake[0].id, quake[1].id)

    _, out, _ = watcher("story", theirs)

    ((_, now),) = shown(engine, *ids(*chess))
    assert now not in (ours, theirs)
    assert f"no longer exists: its articles are in {now}." in out


def test_a_story_goes_from_its_first_to_its_last_article_when_others_have_left(watcher, press, engine):
    quake, _ = press
    monday = stories(edition(engine))[ids(*quake)]

    watcher("story", "split", monday, quake[2].id)  # the earliest
    first = spans(watcher, monday)
    watcher("story", "split", monday, quake[0].id)  # the latest
    both = spans(watcher, monday)

    assert first["first_at"] == both["last_at"] == both["first_at"] == _format_time(quake[1].published_at)
    assert both["began_at"] == _format_time(quake[2].published_at)  # its thread has them still


def spans(watcher, story):
    """Return when a story goes from and to, and its thread."""
    told = json.loads(watcher("story", story, "--json")[1])
    return {name: told[name] for name in ("id", "thread", "size", "began_at", "first_at", "last_at")}


def frozen(row):
    members, story = row
    return frozenset(members), story


@pytest.mark.parametrize("articles", [[], ["nowhere"]])
def test_a_split_that_cannot_be_is_refused_in_words(watcher, press, engine, articles):
    quake, chess = press
    monday = stories(edition(engine))[ids(*quake)]

    code, _, err = watcher("story", "split", monday, *(articles or [a.id for a in quake]))
    other, _, told = watcher("story", "split", monday, chess[0].id)

    assert (code, other) == (1, 1)
    assert "error: " in err
    assert "has no article" in told
    assert [key for _, key in shown(engine, *ids(*quake))] == [monday]


def test_unknown_ids_are_refused_in_words(watcher, press, engine):
    edition(engine)

    assert "no story 'sffff'" in watcher("story", "sffff")[2]
    assert "the newest edition (World Digest no. 1, 2026-11-24) has no story 99" in watcher("story", "99")[2]
    assert "article nowhere is not stored" in watcher("explain", "nowhere", "elsewhere")[2]


def test_explain_says_what_decides(watcher, press, put, engine):
    quake, chess = press
    old = put(
        "Old", "Tarvola trembles. Houses in the Dressel valley shook by 5.4, Henrik Oster told us.", MORNING - 8 * DAY
    )
    edition(engine)

    def told(one, other):
        return watcher("explain", one.id, other.url)[1]

    assert "They are in two stories: the probability that they are on one event is" in told(quake[0], chess[0])
    assert "names or numbers only in the first:" in told(quake[0], chess[0])
    assert "a story ends after 5 days without a report" in told(quake[0], old)
    assert "They are one report" in told(quake[0], quake[1]) or "They are in one story" in told(quake[0], quake[1])


def test_explain_says_that_no_edition_has_looked_at_articles_yet(watcher, press, put, engine):
    quake, chess = press

    def told(one, other):
        code, out, _ = watcher("explain", one.id, other.id)
        return code, next(line for line in out.splitlines() if "covered both" in line)

    yet = "No edition has covered both articles yet"
    assert told(quake[0], quake[1]) == (0, f"{yet}; the two are likely enough to be on one event.")
    assert told(quake[0], chess[0])[1].startswith(f"{yet}; on their own, they are two stories: the probability")
    edition(engine)
    late = put("Late", QUAKE.format("on the radio"), MORNING + HOUR)
    assert told(quake[0], late) == (0, f"{yet}; the two are likely enough to be on one event.")


def test_explain_tells_of_a_readers_correction(watcher, press, engine):
    quake, _ = press
    monday = stories(edition(engine))[ids(*quake)]
    watcher("story", "split", monday, quake[0].id)

    assert "a user correction keeps them apart" in watcher("explain", quake[0].id, quake[1].id)[1]
    code, out, _ = watcher("explain", quake[0].id, quake[1].id, "--json")
    assert (code, json.loads(out)["kind"]) == (0, "ruled")


def test_explain_tells_of_a_join_where_it_made_the_story(watcher, press, engine):
    quake, chess = press
    made = stories(edition(engine))
    watcher("story", "join", made[ids(*quake)], made[ids(*chess)])
    edition(engine)

    def told(one, other):
        return watcher("explain", one.id, other.id)[1]

    joined = "They are in one story: a user correction joined their two stories."
    assert joined in told(quake[0], chess[0])
    assert joined in told(chess[0], quake[2])
    assert joined not in told(quake[0], quake[1])
