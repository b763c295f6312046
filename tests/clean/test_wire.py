"""Agency, dateline and credits."""

from __future__ import annotations

import pytest

from watcher.clean.agencies import agency_of
from watcher.clean.html import parse
from watcher.clean.metadata import read_metadata
from watcher.clean.wire import WireInfo, credited_agencies, parse_dateline, read_wire, strip_credits
from watcher.model import Block

BODY = "The minister said on Monday that the talks would go on for several days to come."


def read(*texts: str, fields: tuple[str, ...] = ()) -> WireInfo:
    return read_wire(tuple(Block(text=text) for text in texts), fields=fields, url="https://a.example/1")


@pytest.mark.parametrize(
    ("dateline", "place", "agency"),
    [
        ("BEIJING (AFP) — ", "BEIJING", "AFP"),
        ("BERLIN, June 3 (Reuters) - ", "BERLIN", "Reuters"),
        ("WASHINGTON (AP) — ", "WASHINGTON", "AP"),
        ("Frankfurt am Main (dpa) - ", "Frankfurt am Main", "dpa"),
        ("Berlin/Paris (dpa/AFP) - ", "Berlin/Paris", "dpa"),
        ("Lisboa, 12 abr 2024 (Lusa) – ", "Lisboa", "Lusa"),
        ("Madrid, 12 abr (EFE).- ", "Madrid", "EFE"),
        ("(ANSA) - ROMA, 12 APR - ", "ROMA", "ANSA"),
        ("МОСКВА, 3 июня. /ТАСС/. ", "МОСКВА", "TASS"),
        ("МОСКВА, 3 июн - РИА Новости. ", "МОСКВА", "RIA Novosti"),
        ("KYIV. Sept 3 (Interfax-Ukraine) – ", "KYIV", "Interfax"),
        ("LONDON, March 3 (Xinhua) -- ", "LONDON", "Xinhua"),
        ("New Delhi, Jun 3 (PTI) ", "New Delhi", "PTI"),
        ("新华社北京4月24日电 ", "北京", "Xinhua"),
        ("(서울=연합뉴스) 김철수 기자 = ", "서울", "Yonhap"),
        ("【ワシントン共同】", "ワシントン", "Kyodo"),
        ("القاهرة - رويترز: ", "القاهرة", "Reuters"),
        ("【6月18日 AFP】", None, "AFP"),
        ("Reuters - ", None, "Reuters"),
        ("Lyon (Frankreich) (AFP) – ", "Lyon", "AFP"),
        ("Quito, EFE | ", "Quito", "EFE"),
        ("Москва. ИНТЕРФАКС - ", "Москва", "Interfax"),
        ("JERUSALEM — ", "JERUSALEM", None),
        ("PARIS, April 8 — ", "PARIS", None),
    ],
)
def test_a_dateline_is_read_and_cut(dateline: str, place: str | None, agency: str | None) -> None:
    wire = read(dateline + BODY, BODY)

    assert (wire.dateline, wire.agency) == (place, agency)
    assert wire.blocks[0].text == BODY
    assert wire.removed[0].rule == "dateline"


@pytest.mark.parametrize(
    ("credit", "agency"),
    [
        ("dpa", "dpa"),
        ("(AFP)", "AFP"),
        ("Source: AFP", "AFP"),
        ("Com informações da agência Lusa", "Lusa"),
        ("Reuters, AP", "Reuters"),
        ("(Reporting by Ann Lee; Editing by Bo Ek)", "Reuters"),
        ("© dpa-infocom, dpa:240429-99-845777/5 (dpa)", "dpa"),
        ("aja/PAP", "PAP"),
        ("Por Agencia EFE", "EFE"),
        ("(Con información de AFP, EFE y Reuters)", "AFP"),
        ("Associated Press writer Bo Ek contributed to this report.", "AP"),
        ("AP Business Writer Bo Ek contributed to this report from London.", "AP"),
        ("With reporting by Associated Press writer Bo Ek", "AP"),
        ("Additional reporting from PA", "PA"),
        ("Copyright 2020 The Associated Press. All rights reserved. This may not be published or rewritten.", "AP"),
    ],
)
def test_a_credit_at_the_end_is_read_and_cut(credit: str, agency: str) -> None:
    wire = read(*[BODY] * 6, credit)

    assert wire.agency == agency
    assert [block.text for block in wire.blocks] == [BODY] * 6


@pytest.mark.parametrize(
    ("behind", "agency"),
    [
        (" (AFP)", "AFP"),
        (" (afp/jm)", "AFP"),
        (" (tok/Reuters)", "Reuters"),
        (" — AFP", "AFP"),
        (" -- BERNAMA", "Bernama"),
        (" /ritzau/", "Ritzau"),
        (" EFE", "EFE"),
        (" © dpa", "dpa"),
        (" (PAP)", "PAP"),
        ("（共同）", "Kyodo"),
    ],
)
def test_a_credit_behind_the_last_sentence_is_cut(behind: str, agency: str) -> None:
    wire = read(*[BODY] * 6, f"{BODY}{behind}")

    assert wire.agency == agency
    assert wire.blocks[-1].text == BODY


def test_a_source_line_before_the_text_is_cut_but_may_be_a_pictures() -> None:
    wire = read("The ferry at the quay on Monday.", "Quelle: dpa", *[BODY] * 6)

    assert wire.agency is None
    assert "Quelle: dpa" not in [block.text for block in wire.blocks]


def test_a_credit_before_the_last_full_stop_is_cut() -> None:
    wire = read(*[BODY] * 6, f"{BODY[:-1]} (ANSA).")

    assert wire.agency == "ANSA"
    assert wire.blocks[-1].text == BODY[:-1]


@pytest.mark.parametrize(
    "last",
    [
        "Why the ferry is late. It is complicated [Bloomberg]",
        "The singer at the quay, seen by night (AFP)",
        "The crew on the quay. Jo Alder/AP",
        "That is what the crew told Reuters.",
        "The mayor thanked the AP.",
    ],
)
def test_a_link_a_caption_or_a_sentence_at_the_end_is_no_credit(last: str) -> None:
    wire = read(*[BODY] * 6, last)

    assert wire.agency is None
    assert wire.blocks[-1].text == last


def test_an_author_or_source_field_can_name_the_agency() -> None:
    assert read(BODY, fields=("The Associated Press",)).agency == "AP"
    assert read(BODY, fields=("AFP/The Local",)).agency == "AFP"
    assert read(BODY, fields=("Ann Lee", "AP Technology Writer")).agency == "AP"


def test_names_behind_photos_in_the_author_field_are_those_of_the_pictures() -> None:
    assert read(BODY, fields=("Fotos: El Puerto", "AFP")).agency is None


def test_an_agencys_own_article_is_that_agencys() -> None:
    blocks = (Block(text=BODY), Block(text=BODY))

    assert read_wire(blocks, fields=("Ann Lee",), url="https://www.aa.com.tr/en/1").agency == "AA"


def test_what_the_page_names_beside_its_text_counts_before_a_credit_in_it() -> None:
    blocks = tuple(Block(text=text) for text in (*[BODY] * 6, "(AFP)"))

    wire = read_wire(blocks, fields=(), url="https://a.example/1", named=("dpa", "AFP"))

    assert wire.agency == "dpa"
    assert len(wire.blocks) == 6


@pytest.mark.parametrize(
    "text",
    [
        "Reuters is to cut a hundred jobs, the company said on Monday in a statement to its staff in London.",
        "The Reuters building (AP) was empty on Monday, and so was the square before it, witnesses said.",
        "Ann Lee, AP style editor at the paper, said on Monday that the rule would stay as it is for now.",
    ],
)
def test_a_sentence_about_an_agency_is_no_credit(text: str) -> None:
    wire = read(text, *[BODY] * 6)

    assert wire.agency is None
    assert wire.blocks[0].text == text


@pytest.mark.parametrize("name", ["ap", "the", "Reuterswerke", "AFPX", "Ansagen", "dpa sagte am Montag"])
def test_a_word_is_no_agency(name: str) -> None:
    assert agency_of(name) is None


@pytest.mark.parametrize("evil", ["A-" * 50_000, "A " * 50_000, "AP, " * 30_000, "dpa/" * 900, " " * 50_000 + "x"])
def test_a_hostile_line_takes_no_time(evil: str) -> None:
    assert read(evil, BODY, BODY, BODY, evil).blocks


def test_an_agency_that_a_sentence_is_about_is_no_dateline() -> None:
    wire = read("Reuters said on Monday that it would open an office in the town next year.", BODY)

    assert (wire.dateline, wire.agency) == (None, None)


def test_a_credit_that_furniture_stood_behind_is_read_without_it() -> None:
    agency, blocks, removed = strip_credits((Block(text=BODY), Block(text="(dpa)")))

    assert agency == "dpa"
    assert [block.text for block in blocks] == [BODY]
    assert [cut.rule for cut in removed] == ["credit"]


DATELINE_BODY = "The minister said on Monday that the talks would go on for several days to come."


@pytest.mark.parametrize(
    ("dateline", "place", "agency"),
    [
        ("BEIJING (AFP) — ", "BEIJING", "AFP"),
        ("BERLIN, June 3 (Reuters) - ", "BERLIN", "Reuters"),
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
    ],
)
def test_a_hostile_beginning_takes_no_time(evil: str) -> None:
    parse_dateline(evil + DATELINE_BODY)


PROSE = (
    "The harbour office said on Monday that the ferry would run again from May, after repairs to its engine.",
    "Nobody could say in the evening how long the road along the shore would stay shut for lorries and buses.",
    "The mayor asked the people of the town for patience, and thanked the crew for a hard winter on the quay.",
)


def named(*, before: str = "", behind: str = "", head: str = "", url: str = "https://news.example/a/ferry") -> str:
    body = "".join(f"<p>{text}</p>" for text in PROSE)
    page = f"<html><head>{head}</head><body><h1>Ferry</h1>{before}<div>{body}</div>{behind}</body></html>"
    blocks = tuple(Block(text=text) for text in PROSE)
    tree = parse(page)
    assert tree is not None
    fields = read_metadata(tree, url=url, now=None).possible_writers
    return "/".join(credited_agencies(tree, blocks, url=url, fields=fields))


@pytest.mark.parametrize(
    ("line", "agency"),
    [
        ('<div class="article-byline">Reuters <time>3 June</time></div>', "Reuters"),
        ('<div class="byline">By Ann Lee and Bo Ek<br>The Associated Press</div>', "AP"),
        ('<div class="author-line">Von <a href="/ann">Ann Lee</a> mit <span>AP</span></div>', "AP"),
        ("<address>Associated Press in Valencia</address>", "AP"),
        ('<p class="meta">Bron: <!-- -->BELGA</p>', "Belga"),
        ('<div class="src">来源：新华网</div>', "Xinhua"),
        ('<div class="Quelle">APA/dpa</div>', "APA"),
        ("<p>PTI | July 9, 2020 | Updated 08:24 IST</p>", "PTI"),
    ],
)
def test_a_byline_before_the_text_names_the_agency(line: str, agency: str) -> None:
    assert named(before=line) == agency


@pytest.mark.parametrize(
    ("line", "agency"),
    [
        ("<div>sak/Reuters</div>", "Reuters"),
        ('<footer class="article-contributors"><p>Weitere Quellen • AP</p></footer>', "AP"),
        ('<div class="copyright">© 2020 Reuters</div>', "Reuters"),
        ("<p>Quelle: news.example, ino/dpa</p>", "dpa"),
    ],
)
def test_a_source_line_behind_the_text_names_the_agency(line: str, agency: str) -> None:
    assert named(behind=line) == agency


@pytest.mark.parametrize(
    "line",
    [
        '<figure><img src="a.jpg"><figcaption>The ferry. <span class="author">AFP</span></figcaption></figure>',
        '<div class="image-box"><img src="a.jpg"><span class="source">Reuters</span></div>',
        '<div><picture><img src="a.jpg"></picture><p>Quay</p><p>dpa</p></div>',
        '<div><img src="a.jpg"><div>The ferry at the quay.</div><div>Quelle: AFP</div></div>',
        "<p>Jo Alder/AP</p>",
        '<nav><a href="/ap">AP</a></nav>',
        '<ul class="tags"><li>EFE</li></ul>',
        '<div class="related-item"><span class="byline">By AFP</span></div>',
        "<p>The office told <a href='/r'>Reuters</a> that it could not yet say when the ferry would run again.</p>",
        '<div class="avatar">AA</div>',
    ],
)
def test_a_credit_of_a_picture_a_teaser_or_a_word_of_a_sentence_does_not(line: str) -> None:
    assert named(before=line) == ""
    assert named(behind=line) == ""


def test_an_agency_inside_the_text_is_not_its_source() -> None:
    assert named(before=f"<p>{PROSE[0]}</p><p>AFP</p>") == ""


def test_data_of_the_page_name_the_agency() -> None:
    data = '{"@type": "NewsArticle", "author": [{"name": "Ann Lee"}, {"name": "Deutsche Presse-Agentur"}]}'

    assert named(head=f'<script type="application/ld+json">{data}</script>') == "dpa"
    assert named(head='<meta name="articleauthor" content="Anadolu Ajansı">') == "AA"
    assert named(head='<meta name="twitter:creator" content="Reuters">') == ""


def test_the_author_of_a_picture_in_the_data_is_not_that_of_the_text() -> None:
    data = '{"@type": "NewsArticle", "author": "Ann Lee", "image": {"@type": "ImageObject", "author": "EFE"}}'

    assert named(head=f'<script type="application/ld+json">{data}</script>') == ""


def test_a_folder_of_the_address_can_be_an_agencys() -> None:
    assert named(url="https://news.example/latest/reuters/2020/ferry.htm") == "Reuters"
    assert named(url="https://news.example/reuters-cuts-jobs") == ""


def test_a_page_that_names_many_agencies_is_a_list() -> None:
    lines = "".join(f"<p>{name}</p>" for name in ("AFP", "dpa", "Reuters", "EFE"))

    assert named(before=lines) == ""
