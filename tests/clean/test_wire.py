"""Agency, dateline and credits."""

from __future__ import annotations

import pytest

from watcher.clean.agencies import agency_of
from watcher.clean.wire import WireInfo, read_wire, strip_credits
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
