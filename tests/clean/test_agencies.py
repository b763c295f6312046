"""What names an agency and what does not."""

from __future__ import annotations

import tomllib
from importlib.resources import files

import pytest

from watcher.clean.agencies import (
    agency_of,
    agency_of_byline,
    agency_of_site,
    mark_agency_names,
    might_name_agency,
)

ROWS = tomllib.loads(files("watcher.clean").joinpath("agencies.toml").read_text("utf-8"))


@pytest.mark.parametrize(
    ("text", "agency"),
    [
        ("AFP", "AFP"),
        ("AFP/The Local", "AFP"),
        ("The Associated Press", "AP"),
        ("Agence France-Presse", "AFP"),
        ("ino/dpa", "dpa"),
        ("sak/Reuters", "Reuters"),
        ("dpa/lno", "dpa"),
        ("Reuters/kra Frankfurt", "Reuters"),
        ("Quelle: news.example, ino/dpa", "dpa"),
        ("(Quelle: APA/sda/dpa)", "APA"),
        ("Weitere Quellen • AP", "AP"),
        ("Von dpa 30.04.2024, 18:58", "dpa"),
        ("PTI | July 9, 2020 | Updated 08:24 IST", "PTI"),
        ("Por Agencia EFE", "EFE"),
        ("Par Le Courrier avec AFP", "AFP"),
        ("Con información de AFP, EFE y Reuters", "AFP"),
        ("Com informações da agência Lusa", "Lusa"),
        ("Por Agência Brasil", "Agência Brasil"),
        ("Redazione ANSA", "ANSA"),
        ("(ANSA).", "ANSA"),
        ("Bron: BELGA", "Belga"),
        ("Bron: ANP", "ANP"),
        ("Źródło: PAP", "PAP"),
        ("Zdroj: ČTK", "CTK"),
        ("Forrás: MTI", "MTI"),
        ("/ritzau/", "Ritzau"),
        ("(©NTB)", "NTB"),
        ("(STT–Reuters)", "STT"),
        ("Источник: ТАСС", "TASS"),
        ("Джерело: Укрінформ", "Ukrinform"),
        ("Извор: Танјуг", "Tanjug"),
        ("Πηγή: ΑΠΕ-ΜΠΕ", "AMNA"),
        ("Kaynak: Anadolu Ajansı", "AA"),
        ("المصدر: وكالة رويترز", "Reuters"),
        ("المصدر: الأناضول", "AA"),
        ("منبع: ایسنا", "ISNA"),
        ("स्रोत: पीटीआई", "PTI"),
        ("来源：新华网", "Xinhua"),
        ("來源：中央社", "CNA"),
        ("출처: 연합뉴스", "Yonhap"),
        ("(KNA, DR)", "KNA"),
        ("22/11/2020 - 04:30 - Fonte: Agência Brasil - Foto: Jo Alder/Porto", "Agência Brasil"),
        ("© 2026 The Canadian Press", "CP"),
        ("Copyright 2020 The Associated Press", "AP"),
        ("Associated Press in Valencia", "AP"),
        ("Bloomberg News", "Bloomberg"),
    ],
)
def test_a_credit_names_an_agency(text: str, agency: str) -> None:
    assert agency_of(text) == agency


@pytest.mark.parametrize(
    "text",
    [
        "ap",
        "the",
        "Reuterswerke",
        "AFPX",
        "Ansagen",
        "dpa sagte am Montag",
        "Michael Bloomberg",
        "Anadolu Efes Spor",
        "Jo Alder / AP",
        "PAP/ Jan Wrona",
        "EFE/ J. J. Robles",
        "picture alliance/dpa",
        "AP Photo/Jo Alder",
        "Foto: AFP",
        "Ferry - Foto: AFP - Lisboa",
        "Bild: dpa",
        "写真：共同通信",
        "AFP via Getty Images",
        "with our own reporters",
        "He spoke with Reuters",
    ],
)
def test_a_word_a_sentence_or_a_credit_of_a_picture_is_none(text: str) -> None:
    assert agency_of(text) is None


def test_a_name_that_is_also_a_word_or_initials_counts_behind_a_sign_or_at_home() -> None:
    assert agency_of("AA") is None
    assert agency_of("(AA)") == "AA"
    assert agency_of("Kaynak: AA") == "AA"
    assert agency_of("AA", language="tr") == "AA"
    assert agency_of("TT", language="sv") == "TT"
    assert agency_of("TT", language="en") is None


@pytest.mark.parametrize(
    ("text", "agency"),
    [
        ("Ann Lee and Bo Ek, Associated Press", "AP"),
        ("By ANN LEE, AP Auto Writer", "AP"),
        ("AP Technology Writer", "AP"),
        ("Ann Lee and AP", "AP"),
        ("Von Ann Lee mit AFP", "AFP"),
        ("By AFP and our staff", "AFP"),
        ("By Ann Lee and Bo Ek The Canadian Press", "CP"),
        ("Ann Bloomberg", None),
        ("Ann Lee, reporter", None),
        ("Ann Lee, PA", None),
    ],
)
def test_a_byline_names_the_agency_of_its_persons(text: str, agency: str | None) -> None:
    assert agency_of_byline(text) == agency


def test_an_agencys_own_site_is_known_with_all_that_is_below_it() -> None:
    assert agency_of_site("www.reuters.com") == "Reuters"
    assert agency_of_site("en.interfax.com.ua") == "Interfax"
    assert agency_of_site("notreuters.com") is None


def test_names_are_marked_and_their_places_kept() -> None:
    marked = mark_agency_names("By Agence France-Presse and AP today")

    assert marked.names == ("Agence France-Presse", "AP")
    assert marked.original_offset(len(marked.text)) == len("By Agence France-Presse and AP today")


@pytest.mark.parametrize("name", ROWS)
def test_each_name_of_the_table_is_found_as_its_agency(name: str) -> None:
    row = ROWS[name]

    assert all(
        might_name_agency(written) and mark_agency_names(written).names == (written,) for written in row["names"]
    )
    assert set(row.get("shy", ())) <= set(row["names"])
    assert {agency_of(f"({written})") for written in row["names"]} == {name}


@pytest.mark.parametrize("evil", ["by " * 40, "AFP/" * 29, "AFP, " * 23, "a/" * 59 + "AP", "Ann " * 28 + "AP"])
def test_a_hostile_credit_takes_no_time(evil: str) -> None:
    agency_of(evil)
    agency_of_byline(evil)
