"""What only one country's outlets say of a story: names, and numbers with what they count."""

import pytest

from digests.analysis.coverage import measure_coverage
from digests.analysis.perspectives import find_perspectives
from tests.compose.factories import article, by_id, story


def only(*texts: str, languages: tuple[str, ...] = ("en", "fr", "zh")) -> list[tuple[str, ...]]:
    """Return what stands only in each of three reports, of three countries."""
    reports = [
        article(f"Paper {n}", f"Report {n}", text, language=language, country=country, hours=n + 1)
        for n, (text, language, country) in enumerate(zip(texts, languages, ("GB", "FR", "CN"), strict=True))
    ]
    told = story(*reports)
    return [
        voice.only for voice in find_perspectives(told, by_id(*reports), measure_coverage(told, by_id(*reports)), {})
    ]


def test_a_number_written_with_a_word_or_in_figures_is_one_number():
    found = only(
        "The mills of Sfax pressed 118 thousand tonnes of oil this year.",
        "Les moulins de Sfax ont pressé 118 000 tonnes d'huile cette année.",
        "突尼斯斯法克斯今年产油11.8万吨，创下纪录。",
    )

    assert found == [(), (), ()]


def test_a_number_that_others_write_as_a_word_is_theirs_too():
    found = only(
        "The strike at the port of Trieste took 24 hours and 46 ships.",
        "La grève au port a duré vingt-quatre heures, dit la mairie.",
        "Der Streik im Hafen traf sechsundvierzig Schiffe, sagte die Stadt.",
        languages=("en", "fr", "de"),
    )

    assert found == [(), (), ()]


def test_a_number_is_told_with_what_it_counts():
    found = only(
        "The strike in the port of Lund took 24 ships and 650 dockers by surprise on 26 November.",
        "La grève au port de Lund a surpris tout le monde, dit la mairie de la ville.",
        "隆德港的罢工让所有人都感到意外，市政府说。",
    )

    assert found[0] == ("24 ships", "650 dockers")


@pytest.mark.parametrize("said", ["a été élue maire", "è stata eletta", "było źle dla wszystkich"])
def test_small_letters_with_marks_begin_no_name(said):
    text = f"La mairesse de la ville {said} par une seule voix ce soir, selon le greffe."

    assert only(text, "Rien de plus ici que ce qui se dit.", "没有。", languages=("fr", "fr", "zh"))[0] == ()


def test_a_name_that_the_others_do_not_have_is_told():
    text = "A judge of the town, he said, was Mireille Castonguay of the north."

    assert only(text, "The town has chosen, and that is all.", "没有。", languages=("en", "en", "zh"))[0] == (
        "Mireille Castonguay",
    )
