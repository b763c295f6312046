"""What a translation must keep of its original."""

from __future__ import annotations

import pytest

from digests.model.ledger import TranslationFault
from digests.summarise.checks import _find_names, figures, find_translation_fault

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
    ("pt", "Lula da Silva recebe Emmanuel Macron em Brasília", "Lula da Silva welcomes Emmanuel Macron in Brasilia"),
    ("de", "Minister Merz trifft Macron in Paris", "Minister Merz meets Macron in Paris"),
    ("es", "Hospital central de Madrid", "Madrid central hospital"),
    ("pt", "Benfica 3-1 Porto", "Benfica 3-1 Porto"),
]
LOST = [
    ("pt", "Sismo faz 14 mortos no Chile", "Quake kills 140 in Chile", "NUMBERS"),
    ("pt", "Sismo faz 14 mortos no Chile", "Quake kills 14 in Peru", "NAMES"),
    ("pt", "Sismo faz 14 mortos no Chile", "Quake kills many in Chile", "NUMBERS"),
    ("pt", "Sismo faz mortos no Chile", "Quake kills 14 in Chile", "NUMBERS"),
    ("pt", "Governo corta 1,5 mil milhões de euros", "Government cuts 1.5 million euros", "NUMBERS"),
    ("pt", "Benfica vence Porto por 3-1", "Benfica beats Porto 1-3", "NUMBERS"),
    ("pt", "O calor em Uruguaiana chega a 41 graus", "Heat in Uruguayan reaches 41 degrees", "NAMES"),
    ("pt", "Ministro critica Bolsonaro", "Minister criticises Bolsonary", "NAMES"),
    ("pt", "O ministro não vai recuar", "The minister will back down", "NEGATION"),
    ("pt", "O ministro vai recuar", "The minister will never back down", "NEGATION"),
    ("pt", "Ministro fala ao país", 'Minister speaks "to the country"', "MARKUP"),
    ("pt", "Ministro fala ao país", "Minister speaks <b>to the country</b>", "MARKUP"),
    ("pt", "Ministro fala ao país", "Minister speaks https://example.org", "MARKUP"),
    ("pt", "Ministro fala ao país", "", "LENGTH"),
    ("pt", "Ministro fala", "Minister speaks " * 20, "LENGTH"),
    ("ar", "زلزال يضرب اليابان بحسب Reuters", "Quake hits Japan, AFP says", "NAMES"),
    ("pt", "Ministro adia a decisão sobre a ponte nova", "El ministro aplaza su decisión sobre el puente", "LANGUAGE"),
    ("pt", "Ministro adia a decisão sobre a ponte nova", "Le ministre reporte sa décision sur le pont", "LANGUAGE"),
    ("ar", "الوزير يؤجل قراره بشأن الجسر", "Der Minister vertagt seine Entscheidung über die Brücke", "LANGUAGE"),
    ("zh", "市议会推迟关于大桥的决定", "市議会が橋の決定を延期", "LANGUAGE"),
    ("pt", "Ministro adia a decisão sobre a ponte nova", "Nova ponte a sobre decisão a adia ministro", "SAME_WORDS"),
    ("pt", "Ministro adia a decisão sobre a ponte nova", "Nova Ponte A Sobre Decisão Adia Ministro", "SAME_WORDS"),
    ("pt", "Ministro adia a decisão sobre a ponte nova", "The ministro adia decisão sobre a ponte", "SAME_WORDS"),
    ("de", "Der Stadtrat vertagt die Entscheidung", "Entscheidung vertagt die der Stadtrat", "SAME_WORDS"),
    ("ja", "市議会が橋の決定を延期", "市議会が橋の決定を延期", "SAME_WORDS"),
]


@pytest.mark.parametrize(("language", "text", "translation"), KEPT)
def test_a_translation_with_all_figures_and_names_is_shown(language, text, translation):
    assert find_translation_fault(text, translation, source=language, target="en") is None


@pytest.mark.parametrize(("language", "text", "translation", "fault"), LOST)
def test_a_translation_with_a_fault_is_not_shown_and_its_fault_is_named(language, text, translation, fault):
    target = "zh" if language == "ja" else "en"

    assert find_translation_fault(text, translation, source=language, target=target) is TranslationFault[fault]


def test_capitals_mark_no_names_in_german_and_in_a_title_in_capitals():
    assert _find_names("Der Minister besucht die Baustelle", "de") == []
    assert _find_names("Minister Visits Building Site In Poland", "en") == []
    assert _find_names("A ministra Ana da Silva visita o Porto", "pt") == [["Ana", "Silva"], ["Porto"]]


def test_figures_are_values_in_all_scripts():
    assert list(figures("2,5 Milliarden und 1.200, ٣ und 3-1", "de")) == ["3-1", 2.5e9, 1200.0, 3.0, 3.0, 1.0]


def test_languages_that_are_alike_may_share_most_words():
    danish, norwegian = "Regeringen vil bygge en ny bro over fjorden", "Regjeringen vil bygge en ny bro over fjorden"

    assert find_translation_fault(danish, norwegian, source="da", target="no") is None


def test_a_translation_into_a_language_that_is_not_recognized_is_shown():
    text, translation = "Der Stadtrat vertagt die Entscheidung", "De Gemengerot verréckelt d'Entscheedung"

    assert find_translation_fault(text, translation, source="de", target="lb") is None
