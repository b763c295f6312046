"""Datelines."""

from __future__ import annotations

import pytest

from watcher.clean.dateline import parse_dateline

DATELINE_BODY = "The minister said on Monday that the talks would go on for several days to come."


@pytest.mark.parametrize(
    ("dateline", "place", "agency"),
    [
        ("BEIJING (AFP) — ", "BEIJING", "AFP"),
        ("BERLIN, June 3 (Reuters) - ", "BERLIN", "Reuters"),
        ("March 1 (Reuters) - ", None, "Reuters"),
        ("3 June 2026 (AFP) — ", None, "AFP"),
        ("HAYWARD, Calif. (AP) — ", "HAYWARD, Calif", "AP"),
        ("ST. JOSEPH, Mich. (AP) — ", "ST. JOSEPH, Mich", "AP"),
        ("New Delhi, Jun 3 (PTI) ", "New Delhi", "PTI"),
        ("Mumbai (Maharashtra) [India], Jan 13 (ANI): ", "Mumbai", "ANI"),
        ("Kathmandu, June 3 (RSS): ", "Kathmandu", "RSS Nepal"),
        ("Dhaka, June 3 (UNB) – ", "Dhaka", "UNB"),
        ("KUALA LUMPUR, June 3 (Bernama) -- ", "KUALA LUMPUR", "Bernama"),
        ("Jakarta (ANTARA) - ", "Jakarta", "Antara"),
        ("LONDON, March 3 (Xinhua) -- ", "LONDON", "Xinhua"),
        ("TOKYO, June 3 (Kyodo) -- ", "TOKYO", "Kyodo"),
        ("Tehran, June 3, IRNA – ", "Tehran", "IRNA"),
        ("BAGHDAD (INA) - ", "BAGHDAD", "INA"),
        ("Lagos, June 3, 2024 (NAN) ", "Lagos", "NAN"),
        ("THE SUN via JTA — ", None, "JTA"),
        ("Frankfurt am Main (dpa) - ", "Frankfurt am Main", "dpa"),
        ("Berlin/Paris (dpa/AFP) - ", "Berlin/Paris", "dpa"),
        ("Lyon (Frankreich) (AFP) – ", "Lyon", "AFP"),
        ("(sda/afp) ", None, "Keystone-SDA"),
        ("Wien (APA) - ", "Wien", "APA"),
        ("Genève (ATS) - ", "Genève", "Keystone-SDA"),
        ("Paris, 3 juin 2024 (AFP) - ", "Paris", "AFP"),
        ("Madrid, 12 abr (EFE).- ", "Madrid", "EFE"),
        ("London, Jun 11 (efe-epa).- ", "London", "EFE"),
        ("La Paz, 3 jun (ABI).- ", "La Paz", "ABI"),
        ("Quito, EFE | ", "Quito", "EFE"),
        ("Lisboa, 12 abr 2024 (Lusa) – ", "Lisboa", "Lusa"),
        ("(ANSA) - ROMA, 12 APR - ", "ROMA", "ANSA"),
        ("(AGI) - Roma, 3 giu. - ", "Roma", "AGI"),
        ("Milano, 3 giu. (Adnkronos) - ", "Milano", "Adnkronos"),
        ("DEN HAAG (ANP) - ", "DEN HAAG", "ANP"),
        ("STOCKHOLM (TT) - ", "STOCKHOLM", "TT"),
        ("Helsinki (STT) – ", "Helsinki", "STT"),
        ("PRAHA 3. júna (TASR) – ", "PRAHA", "TASR"),
        ("Warszawa, 03.06.2024 (PAP) - ", "Warszawa", "PAP"),
        ("Budapest, 2024. június 3., hétfő (MTI) - ", "Budapest", "MTI"),
        ("București, 3 iun /Agerpres/ - ", "București", "Agerpres"),
        ("BEOGRAD, 3. juna (Tanjug) - ", "BEOGRAD", "Tanjug"),
        ("Zagreb, 3. lipnja 2024. (Hina) - ", "Zagreb", "HINA"),
        ("София, 3 юни (БТА) - ", "София", "BTA"),
        ("Vilnius, birželio 3 d. (BNS) ", "Vilnius", "BNS"),
        ("ANKARA (AA) - ", "ANKARA", "AA"),
        ("МОСКВА, 3 июня. /ТАСС/. ", "МОСКВА", "TASS"),
        ("МОСКВА, 3 июн - РИА Новости. ", "МОСКВА", "RIA Novosti"),
        ("Москва. 3 июня. INTERFAX.RU - ", "Москва", "Interfax"),
        ("Минск, 3 июня, БЕЛТА. ", "Минск", "BelTA"),
        ("КИЇВ. 3 червня. УНІАН. ", "КИЇВ", "UNIAN"),
        ("KYIV. Sept 3 (Interfax-Ukraine) – ", "KYIV", "Interfax"),
        ("القاهرة - رويترز: ", "القاهرة", "Reuters"),
        ("القاهرة (رويترز) - ", "القاهرة", "Reuters"),
        ("دبي في 3 يونيو / وام / ", "دبي", "WAM"),
        ("دمشق-سانا ", "دمشق", "SANA"),
        ("الدوحة - قنا: ", "الدوحة", "QNA"),
        ("الكويت - 3 - 6 (كونا) -- ", "الكويت", "KUNA"),
        ("تهران - ایرنا - ", "تهران", "IRNA"),
        ("नई दिल्ली, 3 जून (भाषा) ", "नई दिल्ली", "PTI"),
        ("नयी दिल्ली, 03 जून (वार्ता) ", "नयी दिल्ली", "UNI"),
        ("新华社北京4月24日电（记者张三） ", "北京", "Xinhua"),
        ("中新网北京6月3日电 (记者 李四)", "北京", "China News Service"),
        ("（中央社記者王五台北3日電）", "台北", "CNA"),
        ("【ワシントン共同】", "ワシントン", "Kyodo"),
        ("【ニューヨーク＝共同】", "ニューヨーク", "Kyodo"),
        ("［ロンドン　３日　ロイター］　－　", "ロンドン", "Reuters"),
        ("【6月18日 AFP】", None, "AFP"),
        ("(서울=연합뉴스) 김철수 기자 = ", "서울", "Yonhap"),
        ("[서울=뉴시스]김철수 기자 = ", "서울", "Newsis"),
        ("/PRNewswire/ -- ", None, "PR Newswire"),
        ("NEW YORK, USA - Media OutReach Newswire - 30 April 2024 - ", "NEW YORK, USA", "Media OutReach"),
        ("By Ann Lee WASHINGTON, March 1 (Reuters) - ", "WASHINGTON", "Reuters"),
        ("By Ann Lee, Bo Ek and Cy El Dow WASHINGTON/DUBAI, Feb 28 (Reuters) - ", "WASHINGTON/DUBAI", "Reuters"),
        ("(Adds links) KAPIKOY, Turkey, March 1 (Reuters) - ", "KAPIKOY, Turkey", "Reuters"),
        ("JERUSALEM — ", "JERUSALEM", None),
        ("PARIS, April 8 — ", "PARIS", None),
    ],
)
def test_a_dateline_is_read_to_its_end(dateline: str, place: str | None, agency: str | None) -> None:
    found = parse_dateline(dateline + DATELINE_BODY)

    assert found is not None
    assert (found.place, found.agency) == (place, agency)
    assert (dateline + DATELINE_BODY)[found.end :] == DATELINE_BODY


@pytest.mark.parametrize(
    "text",
    [
        "Reuters is to cut a hundred jobs, the company said on Monday in a statement to its staff in London.",
        "The Reuters building (AP) was empty on Monday, and so was the square before it, witnesses said.",
        "Kuwait News Agency (KUNA) reported on Monday that the talks were over and would not be resumed.",
        "Die Deutsche Presse-Agentur (dpa) meldet, dass der Rat am Abend tagt und dann entscheidet.",
        "Michael Bloomberg - the former mayor - said that he would not stand for any office again this year.",
        "By Sunday the agency (Reuters) - as it is known - had a hundred people in the town, it said at night.",
        "Apple - Bloomberg: the firm will open a second office in the town, the mayor said on Monday night.",
        "Mehr - das ist es, was die Partei will, und sie sagt es seit Jahren in jeder Versammlung.",
        "Anadolu Efes won the match on Monday in front of a crowd of ten thousand people in the hall.",
        "ذكرت وكالة الأنباء السورية (سانا) أن الوزير سيعود غدا إلى العاصمة بعد انتهاء الزيارة.",
        "وقال المتحدث - وفا - إن الاجتماع سيعقد غدا في العاصمة بحضور جميع الوزراء والمسؤولين.",
        "据新华社北京4月24日电，会议在北京举行，与会代表将继续讨论有关问题，预计持续数日。",
        "共同声明发表后，双方代表在北京继续会谈，会谈将持续数日。结果还不清楚，外界正在等待。",
    ],
)
def test_a_sentence_that_names_an_agency_is_no_dateline(text: str) -> None:
    assert parse_dateline(text) is None


def test_a_dateline_with_nothing_behind_it_is_none() -> None:
    assert parse_dateline("BEIJING (AFP) — End.") is None


def test_a_dateline_without_an_agency_can_be_left_out() -> None:
    assert parse_dateline("JERUSALEM — " + DATELINE_BODY, only_agencies=True) is None
    assert parse_dateline("JERUSALEM (AFP) — " + DATELINE_BODY, only_agencies=True) is not None


@pytest.mark.parametrize(
    "evil",
    [
        "A-" * 90 + "AP",
        "A " * 90 + "(AP)",
        "AP, " * 40,
        "dpa/" * 45,
        " " * 190 + "AP",
        "ا " * 90 + "رويترز",
        "1 A" * 60 + "AP",
        "By " + "Aa " * 60 + "AAA (AP",
        "By " + "AAA " * 48 + "(AP",
    ],
)
def test_a_hostile_beginning_takes_no_time(evil: str) -> None:
    parse_dateline(evil + DATELINE_BODY)
