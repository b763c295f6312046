"""Reports that their outlet corrected or took back: found in many languages, and withheld with their copies."""

import pytest

from digests.analysis.notices import find_notices, withhold_reports
from digests.model.story import Story, WireGroup
from tests.compose.factories import START, article, by_id, story

TEXT = "Police in Lahore said that the prison of Adiala was searched on Monday. Nobody was hurt, they said."


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "Correction: Pakistan-Jail story"),
        ("en", "CORRECTED-Pakistan searches prison after escape"),
        ("en", "UPDATE 2-CORRECTED-Pakistan searches prison after escape"),
        ("en", "REFILE-Pakistan searches prison after escape"),
        ("en", "Pakistan searches prison after escape (corrected)"),
        ("de", "Berichtigung: Pakistan durchsucht Gefängnis"),
        ("de", "(Korrigiert) Pakistan durchsucht Gefängnis"),
        ("fr", "Rectificatif : le Pakistan fouille une prison"),
        ("es", "Corrección: Pakistán registra una prisión"),
        ("it", "Errata corrige: perquisito il carcere"),
        ("pt", "[Correção] Paquistão revista prisão"),
        ("nl", "Rectificatie: gevangenis doorzocht"),
        ("sv", "Rättelse: fängelse genomsökt"),
        ("nb", "Rettelse: fengsel gjennomsøkt"),
        ("fi", "Oikaisu: vankila tutkittiin"),
        ("pl", "Sprostowanie: przeszukano więzienie"),
        ("hu", "Helyesbítés: átkutatták a börtönt"),
        ("tr", "Düzeltme: Hapishane arandı"),
        ("ru", "Исправление: в Пакистане обыскали тюрьму"),
        ("uk", "(Виправлено) У Пакистані обшукали в'язницю"),
        ("el", "Διόρθωση: Έρευνα σε φυλακή"),
        ("ar", "تصحيح: تفتيش سجن في باكستان"),
        ("fa", "اصلاحیه: بازرسی زندان در پاکستان"),
        ("he", "תיקון טעות: חיפוש בכלא בפקיסטן"),
        ("hi", "भूल सुधार: पाकिस्तान की जेल में तलाशी"),
        ("id", "Ralat: Penjara di Pakistan digeledah"),
        ("vi", "Đính chính: Khám xét nhà tù ở Pakistan"),
        ("ja", "【訂正】パキスタンの刑務所を捜索"),
        ("zh", "更正：巴基斯坦搜查监狱"),
        ("ko", "[정정] 파키스탄 교도소 수색"),
    ],
)
def test_a_title_that_says_it_corrects_is_a_notice_in_any_language(language, title):
    notice = article("Wire", title, TEXT, language=language, hours=5)

    (found,) = find_notices(story(notice), by_id(notice))

    assert (found.kind, found.text, found.offset) == ("corrected", title, None)


@pytest.mark.parametrize(
    ("language", "title"),
    [
        ("en", "KILL: Pakistan searches prison after escape"),
        ("en", "RETRACTED: Pakistan searches prison after escape"),
        ("en", "Story withdrawn: Pakistan searches prison"),
        ("fr", "Dépêche annulée : le Pakistan fouille une prison"),
        ("ru", "Сообщение аннулировано: в Пакистане обыскали тюрьму"),
        ("ko", "[전문취소] 파키스탄 교도소 수색"),
        ("zh", "【撤稿】巴基斯坦搜查监狱"),
    ],
)
def test_a_title_that_says_its_report_is_taken_back_is_a_notice(language, title):
    notice = article("Wire", title, TEXT, language=language, hours=5)

    (found,) = find_notices(story(notice), by_id(notice))

    assert (found.kind, found.withheld) == ("withdrawn", (notice.id,))


@pytest.mark.parametrize(
    ("language", "title", "text"),
    [
        ("en", "Stocks in correction: what now", TEXT),
        ("en", "Troops withdrawn from Kabul", "Troops were withdrawn from Kabul on Monday, officials said."),
        ("en", "Corrections officer hurt in prison search", TEXT),
        ("en", "Kill switch: phones go dark in Lahore", TEXT),
        ("en", "Death toll corrected to 19", "The ministry corrected the death toll to 19. It had said 27."),
        (
            "fr",
            "Annulation : le concert de Lahore n'aura pas lieu",
            "Le concert est annulé, a dit la mairie.",
        ),
        ("es", "Retirada: las tropas dejan Kabul", "Las tropas han sido retiradas de Kabul, dijo el gobierno."),
        ("de", "Minister weist Korrektur der Zahlen an", "Die Zahlen werden korrigiert, sagte der Minister."),
        ("ru", "Поправки к закону приняты", "Депутаты приняли поправки к закону в понедельник."),
        ("ja", "憲法改正案を修正", "政府は改正案を修正した。"),
    ],
)
def test_news_of_corrections_and_withdrawals_is_no_notice(language, title, text):
    report = article("Post", title, text, language=language)

    assert find_notices(story(report), by_id(report)) == ()


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        ("en", "This story has been corrected to say that the prison is Adiala, not Kot Lakhpat."),
        ("en", "(Corrects paragraph 2 to say that the prison is Adiala.)"),
        ("en", "An earlier version of this article gave a wrong name of the prison."),
        ("de", "In einer früheren Version dieses Artikels war ein falsches Gefängnis genannt."),
        ("fr", "Une première version de cet article donnait un faux nom de prison."),
        ("es", "Una versión anterior de esta noticia daba otro nombre de la prisión."),
        ("ru", "В предыдущей версии этой новости была названа другая тюрьма."),
        ("ja", "記事の一部を訂正しました。"),
    ],
)
def test_a_corrected_report_can_be_told_and_the_earlier_one_of_its_outlet_cannot(language, sentence):
    first = article("Post", "Prison of Kot Lakhpat is searched", TEXT, language=language, hours=2)
    second = article("Post", "Prison of Adiala is searched", f"{sentence}\n{TEXT}", language=language, hours=6)
    other = article("Herald", "Search in a prison of Lahore", TEXT, language=language, hours=3)

    (found,) = find_notices(story(first, second, other), by_id(first, second, other))

    assert (found.text, found.offset, found.article_id) == (sentence, 0, second.id)
    assert found.withheld == (first.id,)


def test_copies_of_a_corrected_agency_text_are_withheld_wherever_they_are_printed():
    copies = [article(f"Paper {n}", "Kot Lakhpat prison searched", TEXT, hours=1 + n, agency="AP") for n in range(3)]
    notice = article("AP", "Correction: Pakistan-Jail story", "In a story on Monday, AP named a wrong prison.", hours=4)
    late = article("Paper 9", "Kot Lakhpat prison searched", TEXT, hours=9, agency="AP")
    own = article("Herald", "Search in a prison of Lahore", "Guards searched a prison.", hours=2)
    groups = (
        WireGroup(articles=tuple(each.id for each in (*copies, late)), agency="AP"),
        WireGroup(articles=(notice.id,), agency=None),
        WireGroup(articles=(own.id,), agency=None),
    )
    everything = (*copies, own, notice, late)
    told = Story(id="s1", articles=tuple(each.id for each in everything), wire_groups=groups)

    marked, notices = withhold_reports([told], by_id(*everything))

    assert set(notices["s1"][0].withheld) == {*(each.id for each in copies), late.id, notice.id}
    assert [each.outlet for each in marked.values() if each.kind == "article"] == ["Herald"]


def test_a_copy_of_a_page_that_was_changed_later_is_withheld():
    page = article("Post", "Search in Adiala", f"This story has been corrected to name the prison.\n{TEXT}", hours=1)
    copy = article("Echo", "Search in Kot Lakhpat", TEXT, hours=3)

    (found,) = find_notices(story([page, copy]), by_id(page, copy), {page.id: START.replace(hour=14)})

    assert found.published_at == START.replace(hour=14)
    assert found.withheld == (copy.id,)


def test_a_corrected_report_is_told_if_nothing_else_is_left():
    first = article("Wire", "Kot Lakhpat prison searched", TEXT, hours=1)
    second = article("Wire", "CORRECTED-Adiala prison searched", TEXT, hours=2)

    (found,) = find_notices(story(first, second), by_id(first, second))

    assert found.withheld == (first.id,)
