"""The figures of a story: read with what they count, compared only where the thing is the same, the newest first."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digests.summarise.figures import (
    NEAR_WORDS,
    QUANTITIES,
    exceeding_figures,
    find_figure_changes,
    has_lower_count,
    read_figures,
    stated_figures,
    superseded_by_figures,
)
from digests.summarise.lead import make_sentence
from tests.compose.factories import article, by_id, story


def read(language, text):
    """Return the figures of a text: quantity, value and phrase."""
    made = article("Gazette", text, language=language)
    return [(each.quantity, each.value, each.phrase) for each in read_figures(make_sentence(made, 0, text))]


@pytest.mark.parametrize(
    ("language", "text", "quantity", "value", "phrase"),
    [
        ("en", "At least nine people have died at Lindow", "killed", 9, "At least nine people have died"),
        ("en", "Death toll in Lindow rises to 1,204", "killed", 1204, "Death toll in Lindow rises to 1,204"),
        ("en", "Turnout was 35 per cent at noon", "turnout", 35, "Turnout was 35 per cent"),
        ("en", "Dam break: death toll climbs from 15 to 19", "killed", 19, "death toll climbs from 15 to 19"),
        ("en", "A blast killed 15 people and wounded 40", "killed", 15, "killed 15 people"),
        ("en", "Turnout at 35.5% by noon", "turnout", 35.5, "Turnout at 35.5%"),
        ("de", "Mindestens 15 Menschen getötet", "killed", 15, "Mindestens 15 Menschen getötet"),
        ("de", "Zahl der Toten steigt auf 19", "killed", 19, "Zahl der Toten steigt auf 19"),
        ("fr", "Rupture du barrage : le bilan passe de 15 à 19 morts", "killed", 19, "le bilan passe de 15 à 19 morts"),
        ("es", "Sube a 19 el número de muertos en Lindow", "killed", 19, "Sube a 19 el número de muertos"),
        ("it", "Crollo della diga, sono 18 i dispersi", "missing", 18, "18 i dispersi"),
        ("pt", "Sobe para 19 o número de mortos", "killed", 19, "Sobe para 19 o número de mortos"),
        ("nl", "Dodental stijgt naar 19", "killed", 19, "Dodental stijgt naar 19"),
        ("sv", "Minst 15 personer skadade i bussolycka", "injured", 15, "Minst 15 personer skadade"),
        ("pl", "Co najmniej 15 osób zginęło", "killed", 15, "Co najmniej 15 osób zginęło"),
        ("ru", "Число погибших выросло с 15 до 19", "killed", 19, "Число погибших выросло с 15 до 19"),
        ("ru", "Не менее 15 человек погибли", "killed", 15, "Не менее 15 человек погибли"),
        ("uk", "Щонайменше 15 людей загинули", "killed", 15, "Щонайменше 15 людей загинули"),
        ("tr", "Patlamada en az 15 kişi hayatını kaybetti", "killed", 15, "en az 15 kişi hayatını kaybetti"),
        ("ar", "مقتل 15 شخصا على الأقل", "killed", 15, "مقتل 15 شخصا على الأقل"),
        ("fa", "۲۲ زخمی در حمله", "injured", 22, "۲۲ زخمی"),
        ("he", "לפחות 9 הרוגים בקריסה", "killed", 9, "לפחות 9 הרוגים"),
        ("hi", "हादसे में 15 लोगों की मौत", "killed", 15, "15 लोगों की मौत"),
        ("id", "Sedikitnya 15 orang tewas", "killed", 15, "Sedikitnya 15 orang tewas"),
        ("zh", "爆炸造成至少15人死亡", "killed", 15, "至少15人死亡"),
        ("ja", "少なくとも15人が死亡した", "killed", 15, "少なくとも15人が死亡"),
        ("ko", "최소 15명 사망", "killed", 15, "최소 15명 사망"),
    ],
)  # fmt: skip
def test_a_figure_is_read_from_its_lower_bound_to_what_it_counts(language, text, quantity, value, phrase):
    assert (quantity, value, phrase) in read(language, text)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "In 2015, 130 people were killed in the same valley"),
        ("en", "More than 60 people were injured"),
        ("en", "15 to 19 people were killed"),
        ("en", "12 of those killed were children"),
        ("en", "A bus crash kills 14 children"),
        ("en", "15 dead whales wash ashore"),
        ("en", "A 66-year-old was killed on Sunday"),
        ("en", "Four men were hurt and then 15 people rushed to hospital"),
        ("en", "The dam could have killed 400 people"),
        ("en", "17 people were killed in the capital alone"),
        ("en", "Another 12 people were killed"),
        ("en", "The strike at the port cost $40 million, killed"),
        ("de", "Rund 60 Menschen wurden verletzt"),
        ("fr", "15 morts de plus en une nuit"),
        ("fr", "135 décès dans les dernières 24 heures"),
        ("fr", "Le seuil est franchi, le pays dépasse les 30.000 morts"),
        ("ru", "Число погибших детей выросло до 51"),
        ("zh", "其中15人死亡"),
        ("zh", "约15人死亡"),
        ("ko", "일일사망자 82명"),
    ],
)
def test_a_number_that_is_rounded_a_part_or_of_another_event_is_no_figure(language, text):
    assert read(language, text) == []


def test_a_magnitude_and_what_it_left_are_told_apart():
    assert read("en", "A magnitude 6.1 quake killed 14 people and left 30 injured") == [
        ("magnitude", 6.1, "magnitude 6.1"),
        ("killed", 14.0, "killed 14 people"),
        ("injured", 30.0, "30 injured"),
    ]


def dam(outlet, hours, title, text="-", language="en"):
    return article(outlet, title, text, language=language, hours=hours)


def changes(*reports, earlier=(), reads=("en",)):
    """Return the changed figures: quantity, values, outlets with each, and the number of outlets with the newest."""
    found = find_figure_changes(story(*earlier, *reports), by_id(*reports), by_id(*earlier), lambda tag: tag in reads)
    return [
        (
            each.quantity,
            *((side.value, side.mention.outlet) for side in (each.before, each.after)),
            each.outlets,
        )
        for each in found
    ]


FIRST = dam("Alpha", 4, "Dam breaks above Lindow, 15 people killed")
SECOND = dam("Beta", 8, "19 people killed as dam breaks above Lindow")
THIRD = dam("Gamma", 10, "Dam above Lindow breaks: 19 killed")


def test_the_newest_figure_wins_and_the_freshest_report_with_it_is_cited():
    assert changes(FIRST, SECOND, THIRD) == [("killed", (15, "Alpha"), (19, "Gamma"), 2)]


def test_what_a_toll_is_of_may_stand_between_its_words():
    first = dam("Alpha", 4, "Число погибших при ударе по школе в Линдове возросло до 118", language="ru")
    second = dam("Beta", 8, "Число погибших при атаке на школу в Линдове возросло до 165", language="ru")

    assert changes(first, second, reads=("ru",)) == [("killed", (118, "Alpha"), (165, "Beta"), 1)]


def test_a_report_in_a_language_of_the_reader_is_cited_before_a_fresher_one():
    late = dam("Delta", 12, "Rupture du barrage à Lindow : 19 morts", language="fr")

    assert changes(FIRST, SECOND, late) == [("killed", (15, "Alpha"), (19, "Beta"), 2)]


def test_a_copy_with_a_newer_figure_counts_and_one_with_the_same_does_not():
    copies = [dam(f"Copy {n}", 9 + n, "Dam breaks above Lindow, 15 people killed") for n in range(3)]
    updated = dam("Delta", 14, "Dam breaks above Lindow, 22 people killed")
    told = story([FIRST, *copies, updated], SECOND)

    found = find_figure_changes(told, by_id(FIRST, *copies, updated, SECOND), {}, lambda tag: True)

    assert [(each.before.value, each.after.value, each.after.mention.outlet) for each in found] == [(15, 22, "Delta")]


def test_a_late_copy_of_the_first_report_does_not_undo_the_newest_figure():
    late = dam("Omega", 11, "Dam breaks above Lindow, 15 people killed")

    assert changes(FIRST, SECOND, THIRD, late) == [("killed", (15, "Alpha"), (19, "Gamma"), 2)]


def test_figures_that_go_back_and_forth_are_no_change():
    late = [dam(f"Late {n}", 11 + n, "Dam breaks above Lindow, 15 people killed") for n in range(2)]

    assert changes(FIRST, SECOND, *late) == []


def test_two_figures_of_one_time_are_no_change():
    assert changes(FIRST, replace(SECOND, published_at=FIRST.published_at)) == []


def test_a_lower_figure_of_one_outlet_is_no_change_and_that_of_two_is():
    high = dam("Alpha", 4, "Dam breaks above Lindow, 23 people killed")

    assert changes(high, SECOND) == []
    assert changes(high, SECOND, THIRD) == [("killed", (23, "Alpha"), (19, "Gamma"), 2)]


def test_the_toll_of_a_day_does_not_replace_that_of_all():
    total = dam("Alpha", 4, "Dam breaks above Lindow, 43 people killed")

    assert changes(total, SECOND, THIRD) == []


def test_a_lower_bound_below_an_exact_figure_is_no_change():
    exact = dam("Alpha", 4, "Dam breaks above Lindow, 23 people killed")
    bounds = [dam(f"B{n}", 8 + n, "At least 19 people killed as dam breaks above Lindow") for n in range(2)]

    assert changes(exact, *bounds) == []


def test_a_figure_that_is_many_times_another_counts_something_else():
    assert changes(FIRST, dam("Beta", 8, "900 people killed as dam breaks above Lindow")) == []


def test_a_rounded_figure_is_no_change():
    exact, rounded = "1,183 people arrested after Lindow march", "1,200 people arrested after Lindow march"

    assert changes(dam("Alpha", 4, exact), dam("Beta", 8, rounded)) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Missile kills 3 people in Kyiv during the night", "Missile kills 8 people in Kharkiv during the night"),
        ("Two dead after floods in Peru", "Twelve dead after floods in Nepal"),
        ("Police in Lindow say 4 people killed", "Ferry sinks off Carrow, 9 people killed"),
    ],
)
def test_figures_of_two_places_or_two_events_are_not_compared(one, other):
    assert changes(dam("Alpha", 4, one), dam("Beta", 8, other)) == []


def test_a_report_that_states_two_figures_for_one_quantity_states_none():
    unclear = dam(
        "Beta", 8, "19 people killed as dam breaks above Lindow", "On Monday, 21 people were killed at Lindow."
    )

    assert changes(FIRST, unclear) == []


def test_a_report_from_before_the_period_gives_the_earlier_figure_only():
    old = dam("Old", -30, "Dam breaks above Lindow, 9 people killed")
    oldest_high = dam("Old", -30, "Dam breaks above Lindow, 30 people killed")

    assert changes(FIRST, SECOND, earlier=[old]) == [("killed", (9, "Old"), (19, "Beta"), 1)]
    assert changes(FIRST, earlier=[oldest_high]) == []
    assert changes(FIRST, earlier=[dam("Same", -30, "Dam breaks above Lindow, 15 people killed")]) == []


def test_reports_in_two_languages_are_compared_if_both_name_the_country():
    first = dam("Alpha", 4, "Dam breaks in Peru, 15 people killed")
    second = dam("Бета", 8, "Число погибших при прорыве дамбы в Перу выросло до 19", language="ru")
    elsewhere = dam("Бета", 8, "Число погибших при прорыве дамбы в Непале выросло до 19", language="ru")

    assert changes(first, second) == [("killed", (15, "Alpha"), (19, "Бета"), 1)]
    assert changes(first, elsewhere) == []


def test_a_title_or_sentence_with_a_figure_that_a_newer_one_replaces_is_found():
    found = find_figure_changes(story(FIRST, SECOND, THIRD), by_id(FIRST, SECOND, THIRD), {}, lambda tag: True)
    is_old = superseded_by_figures(found)

    def says_old(text):
        return is_old(make_sentence(FIRST, 0, text))

    assert says_old(FIRST.title) and says_old("At least 17 people were killed at Lindow.")
    assert not says_old(SECOND.title) and not says_old("Rescuers found 15 people on a roof.")
    assert not says_old("The dam left 15 injured.") and not superseded_by_figures(())(
        make_sentence(FIRST, 0, FIRST.title)
    )


def test_an_early_count_that_later_reports_contradict_is_replaced_and_a_late_higher_one_is_not():
    early = dam("Alpha", 4, "Dam breaks above Lindow, 17 people killed")
    others = [dam(outlet, 6 + at, "Dam breaks above Lindow, 16 people killed") for at, outlet in enumerate("BCD")]
    late = dam("Echo", 12, "Dam breaks above Lindow, 19 people killed")

    def says_old(article, *more):
        articles = [early, *others, *more]
        return superseded_by_figures((), story(*articles), by_id(*articles))(make_sentence(article, 0, article.title))

    assert says_old(early) and not says_old(others[0])
    assert says_old(early, late) and says_old(others[0], late) and not says_old(late, late)


def test_a_count_is_replaced_whoever_tells_the_newer_one_and_however_the_place_is_written():
    early = dam("Alpha", 4, "Dam of Lindow breaks, 15 people killed")
    by_police = replace(
        dam("Bravo", 6, "Broken dam of Lindow may be sabotage"),
        text="The Yard said that the broken dam killed 19 people.",
    )
    written = replace(dam("Delta", 5, "Dam breaks"), text="At Lindow's dam 17 people were killed by the broken gates.")
    newest = dam("Charlie", 7, "Broken dam of Lindow kills 19 people")

    def says_old(article, *others):
        articles = [early, *others]
        return superseded_by_figures((), story(*articles), by_id(*articles))(
            make_sentence(article, 0, article.text if article is written else article.title)
        )

    assert not says_old(early, by_police)  # the Yard is unknown there: perhaps another count
    assert says_old(early, by_police, newest)
    assert says_old(written, written, newest)


@pytest.mark.parametrize(
    ("told", "sentence", "is_lower"),
    [
        ("At least 19 people were killed.", "Police said that 15 people were killed.", True),
        ("At least 15 people were killed.", "Police said that 19 people were killed.", False),
        ("At least 19 people were killed.", "Police said that 15 people were injured.", False),
        ("Rescuers came.", "Police said that 15 people were killed.", False),
    ],
)
def test_a_sentence_that_counts_less_than_one_that_is_told_is_found(told, sentence, is_lower):
    first, second = (make_sentence(article("Gazette", text), 0, text) for text in (told, sentence))
    assert has_lower_count(second, [first]) is is_lower


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("de", "Zwölf Menschen kamen ums Leben."),
        ("fr", "Douze personnes ont trouvé la mort dans un accident."),
        ("it", "Dodici persone hanno perso la vita."),
        ("pt", "Doze pessoas perderam a vida."),
        ("nl", "Twaalf mensen kwamen om het leven."),
    ],
)
def test_who_lost_their_lives_is_counted(language, sentence):
    assert [(quantity, value) for quantity, value, *_ in read(language, sentence)] == [("killed", 12)]


def test_a_title_without_end_is_not_read_at_length():
    assert read("en", "15 people killed " * 50_000) == []


LISTS = [*NEAR_WORDS.values(), *(listed for places in QUANTITIES.values() for listed in places.values())]
WORDS = sorted({word.replace("-", " ") for each in LISTS for words in each.values() for word in words.split()})
SIGNS = ["15", "1,204", "５", "٣", "5.9", "%", ",", ".", "–", "-", "(", "and", "2015"]
PIECES = st.lists(st.one_of(st.sampled_from(WORDS), st.sampled_from(SIGNS), st.text(max_size=6)), max_size=24)


@given(PIECES, st.sampled_from(["en", "de", "fr", "ru", "ar", "he", "zh", "ja", "ko", "hi", "und"]), st.randoms())
def test_a_phrase_is_cut_from_no_word_whatever_the_text(pieces, language, rng: random.Random):
    text = rng.choice(["", " "]).join(pieces) if language in ("zh", "ja") else " ".join(pieces)
    made = article("Gazette", text, text, language=language)

    for figure in (*read_figures(make_sentence(made, 0, text)), *stated_figures(made)):
        held = figure.sentence.text
        assert figure.phrase and figure.number in figure.phrase
        if language not in ("zh", "ja", "ko"):
            before, after = held[: figure.phrase_start][-1:], held[figure.phrase_end :][:1]
            assert not (before.isalnum() and figure.phrase[0].isalnum())
            assert not (after.isalnum() and figure.phrase[-1].isalnum())


def test_a_sentence_may_count_more_than_a_headline_of_what_only_rises():
    text = "Three people were killed.  Two people were killed.  One person was killed, and 14 were wounded."
    report = article("Post", "Two people killed in Lindow", text)
    is_more = exceeding_figures(make_sentence(report, 0, report.title))

    said = [make_sentence(report, text.index(each), each) for each in text.split("  ")]

    assert [is_more(each) for each in said] == [True, False, False]
