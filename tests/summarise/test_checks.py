"""What a translation must keep of its original."""

from __future__ import annotations

import pytest

from digests.summarise.checks import figures, find_names, keeps_facts

KEPT = [
    ("pt", "Sismo de magnitude 6,8 faz 14 mortos no Chile", "Quake of magnitude 6.8 kills 14 in Chile"),
    ("pt", "Governo corta 1,5 mil milhões de euros", "Government cuts 1.5 billion euros"),
    ("pt", "Mais de 40 mil pessoas em marcha", "More than 40,000 people march"),
    ("pt", "Três mortos em acidente", "3 dead in accident"),
    ("pt", "Benfica vence Porto por 3-1", "Benfica beats Porto 3-1"),
    ("pt", "Ministro diz que Alexandre de Moraes decide", "Minister says Alexandre de Moraes decides"),
    ("pt", "Crise no Senado do Chile", "Crisis in the Senate of Chile"),
    ("pt", "EUA e ONU pedem calma", "U.S. and UN call for calm"),
    ("pt", "Embaixador da Alemanha em Londres", "Germany's ambassador in London"),
    ("de", "Der Minister besucht die Baustelle in Polen", "The minister visits the building site in Poland"),
    ("ar", "زلزال يضرب اليابان ويقتل 14 شخصا بحسب Reuters", "Quake hits Japan, killing 14, Reuters says"),
    ("zh", "日本地震致11.8万人撤离", "Quake in Japan forces 118,000 to leave"),
    ("pt", "O ministro não vai recuar", "The minister won't back down"),
]
LOST = [
    ("pt", "Sismo faz 14 mortos no Chile", "Quake kills 140 in Chile"),
    ("pt", "Sismo faz 14 mortos no Chile", "Quake kills 14 in Peru"),
    ("pt", "Sismo faz 14 mortos no Chile", "Quake kills many in Chile"),
    ("pt", "Sismo faz mortos no Chile", "Quake kills 14 in Chile"),
    ("pt", "Governo corta 1,5 mil milhões de euros", "Government cuts 1.5 million euros"),
    ("pt", "Benfica vence Porto por 3-1", "Benfica beats Porto 1-3"),
    ("pt", "O calor em Uruguaiana chega a 41 graus", "Heat in Uruguayan reaches 41 degrees"),
    ("pt", "Ministro critica Bolsonaro", "Minister criticises Bolsonary"),
    ("pt", "O ministro não vai recuar", "The minister will back down"),
    ("pt", "O ministro vai recuar", "The minister will never back down"),
    ("pt", "Ministro fala ao país", 'Minister speaks "to the country"'),
    ("pt", "Ministro fala ao país", "Minister speaks <b>to the country</b>"),
    ("pt", "Ministro fala ao país", "Minister speaks https://example.org"),
    ("pt", "Ministro fala ao país", ""),
    ("pt", "Ministro fala", "Minister speaks " * 20),
    ("ar", "زلزال يضرب اليابان بحسب Reuters", "Quake hits Japan, AFP says"),
]


@pytest.mark.parametrize(("language", "text", "translation"), KEPT)
def test_a_translation_with_all_figures_and_names_is_shown(language, text, translation):
    assert keeps_facts(text, translation, source=language, target="en")


@pytest.mark.parametrize(("language", "text", "translation"), LOST)
def test_a_translation_that_lost_or_gained_a_figure_a_name_or_a_negation_is_not_shown(language, text, translation):
    assert not keeps_facts(text, translation, source=language, target="en")


def test_capitals_mark_no_names_in_german_and_in_a_title_in_capitals():
    assert find_names("Der Minister besucht die Baustelle", "de") == []
    assert find_names("Minister Visits Building Site In Poland", "en") == []
    assert find_names("A ministra Ana da Silva visita o Porto", "pt") == [["Ana", "Silva"], ["Porto"]]


def test_figures_are_values_in_all_scripts():
    assert list(figures("2,5 Milliarden und 1.200, ٣ und 3-1", "de")) == ["3-1", 2.5e9, 1200.0, 3.0, 3.0, 1.0]
