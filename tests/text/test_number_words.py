"""Numbers written as words are the numbers that they are."""

from __future__ import annotations

import pytest

from watcher.text.number_words import parse_number_words


@pytest.mark.parametrize(
    ("language", "text", "values"),
    [
        ("en", "Forty-six months, and twenty four ships", {46, 24}),
        ("en", "two hundred and five dockers", {205}),
        ("en", "one hundred eighteen thousand tonnes; three dozen goats", {118_000, 36}),
        ("en", "thirteen, fourteen or fifteen people", {13, 14, 15}),
        ("en", "Twenty Twenty two", {20, 22}),
        ("de", "sechsundvierzig Monate und vierundzwanzig Stunden", {46, 24}),
        ("de", "Zweihundertfünf Hafenarbeiter, zwölftausenddreihundert Tonnen", {205, 12_300}),
        ("de", "Dreißig Schiffe, zwei Dutzend Ziegen, drei Millionen Euro", {30, 24, 3_000_000}),
        ("es", "treinta y seis buques y doscientos cinco estibadores", {36, 205}),
        ("es", "veintidós mil quinientas toneladas", {22_500}),
        ("es", "veintiuna casas y una docena de cabras, treinta y una mil", {21, 12, 31_000}),
        ("fr", "quatre-vingt-dix-sept dockers et soixante et onze navires", {97, 71}),
        ("fr", "deux cents tonnes, cent vingt-quatre chèvres, dix-huit mille euros", {200, 124, 18_000}),
        ("fr", "quatre-vingts ans, vingt-quatre heures", {80, 24}),
        ("pt", "quarenta e seis meses e vinte e quatro horas", {46, 24}),
        ("pt", "mil oitocentos estivadores", {1_800}),
        ("it", "tre morti e ventitré feriti, due mila case", {3, 23, 2_000}),
        ("nl", "drie doden en twintig gewonden", {3, 20}),
        ("ru", "Погибли трое военных, ещё двадцать пять ранены", {3, 25}),
        ("ru", "о гибели четырёх и сто двадцать тысяч домов", {4, 120_000}),
        ("ja", "四十六", set()),
        ("xx", "forty-six", set()),
        ("en", "", set()),
        ("en", "nobody, often, weight", set()),
    ],
)
def test_a_number_in_words_is_read(language, text, values):
    assert parse_number_words(text, language) == values


def test_words_without_end_make_no_number_without_end():
    assert max(parse_number_words("dozen " * 10_000, "en")) == 10**12
