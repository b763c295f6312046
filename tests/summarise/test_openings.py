"""What stands beside the words of a report, before the first sentence of its text."""

import dataclasses

import pytest

from digests.analysis.titles import title_without_outlet
from digests.summarise import readable
from digests.summarise.openings import first_sentences
from tests.compose.factories import article

BRIDGE = "Divers searched the river Aar for five people on Monday, police in Bern said."
TITLE = "Bridge collapses in Bern, killing twelve"


def clear_sentences(text, *, title="A title of other words", language="en"):
    """Return the sentences of a text of which it is clear where they begin."""
    report = article("Aare Post", title, text, language=language)
    return [text[start:end] for start, end, is_clear in first_sentences(report, text) if is_clear]


def test_lines_without_an_end_are_no_sentences_behind_which_nothing_is_looked_for():
    lines, sentence = "Anna Keller\n2024-11-05T13:45:47.070Z\nBern", "周一，大桥因为裂缝而关闭，交通中断了几个小时。"

    assert clear_sentences(f"{lines}\n（德国之声中文网）{sentence}", language="zh")[-1] == sentence


@pytest.mark.parametrize(
    ("language", "text", "start"),
    [
        ("en", "BEIJING (AFP) — China opened its longest bridge on Monday, state media said.", "China"),
        ("de", "Berlin (dpa) - Die Bundesregierung will den Bau der Brücke fördern.", "Die"),
        ("fr", "PARIS, 12 mai (Reuters) - Le gouvernement a annoncé la fermeture du pont.", "Le"),
        ("en", "KYIV—Ukraine said it had repaired the bridge over the Dnipro on Monday.", "Ukraine"),
        ("en", "(AP) — The bridge over the river was closed on Monday after cracks were found.", "The"),
        ("en", "KARACHI: The bridge over the river was closed on Monday after cracks were found.", "The"),
        ("en", "KARACHI/LAHORE:: The bridge over the river was closed on Monday after cracks were found.", "The"),
        ("en", "New Delhi: The bridge over the river was closed on Monday after cracks were found.", "The"),
        (
            "en",
            "New York (CNN Business)Engineers closed the bridge over the river on Monday after cracks were found.",
            "Engineers",
        ),
        ("en", "(CNN)The bridge over the river was closed on Monday after cracks were found.", "The"),
        ("en", "The ministry (Roads) closed the bridge over the river on Monday after cracks.", "The ministry"),
        ("en", "Geneva/UNI: The bridge over the river was closed on Monday after cracks were found.", "The"),
        ("en", "Science News: BEIJING: The bridge was closed on Monday after cracks were found.", "The"),
        ("nl", "Rotterdam: De brug over de rivier is maandag gesloten na de vondst van scheuren.", "De"),
        ("fr", "Info BFMTV - Le pont sur la rivière a été fermé lundi après la découverte de fissures.", "Le"),
        ("fr", "PRO D2 - Le pont sur la rivière a été fermé lundi après la découverte de fissures.", "Le"),
        ("en", "COVID-19 - which closed the bridge - is back in the town, the mayor said on Monday.", "COVID-19"),
        ("en", "Moreau: The bridge over the river was closed on Monday after cracks were found.", "Moreau"),
        ("de", "Bern, Basel, Genf: Die Brücken sind seit Montag wegen Rissen gesperrt.", "Bern"),
        ("he", "גשר בברן: הגשר מעל הנהר נסגר ביום שני לאחר שנמצאו בו סדקים רבים.", "גשר"),
        ("en", "The bridge - built in 1968 - was closed on Monday after cracks were found.", "The"),
        ("en", "Smith (left) said the bridge was closed on Monday after cracks were found.", "Smith"),
        ("ru", "МОСКВА, 3 июня. /ТАСС/. Мост через реку закрыли в понедельник из-за трещин.", "Мост"),
        ("zh", "（江南社東京5日綜合外電報導）河上的桥梁因出现裂缝于星期一关闭，市政府表示将在两周内修复。", "河上"),
        ("zh", "ANNA MEIER2024年11月5日河上的桥梁因出现裂缝于星期一关闭，市政府表示将在两周内修复。", "河上"),
        ("ko", "[OSEN=대구, 홍길동 기자] 강을 건너는 다리가 월요일 균열 때문에 폐쇄되었다고 시가 밝혔다.", "강을"),
        ("ko", "[한강일보 홍길동 기자]강을 건너는 다리가 월요일 균열 때문에 폐쇄되었다고 시가 밝혔다.", "강을"),
        ("ko", "(서울=한강통신) 홍길동 기자 = 강을 건너는 다리가 월요일 균열 때문에 폐쇄되었다고 시가 밝혔다.", "강을"),
        ("ar", "القاهرة (رويترز) - أغلقت السلطات الجسر فوق النهر يوم الاثنين بعد ظهور شقوق.", "أغلقت"),
    ],
)
def test_a_sentence_begins_behind_its_dateline(language, text, start):
    assert clear_sentences(text, language=language)[0].startswith(start)


@pytest.mark.parametrize(
    ("language", "before", "sentence"),
    [
        ("en", "By Laila Bassam, Yomna Ehab and Nayera Abdallah March 2 (Reuters) - ", BRIDGE),
        ("en", "By Phil Stewart and Idrees Ali WASHINGTON, Feb 28 (Reuters) - ", BRIDGE),
        ("en", "By Anna Meier | ", BRIDGE),
        ("de", "Von Anna Meier, Bern (dpa) - ", "Taucher suchten am Montag in der Aare nach fünf Vermissten."),
        ("fr", "Par Anne Meyer — ", "Des plongeurs ont cherché lundi cinq disparus dans l'Aar."),
        ("en", "Submitted by AP staff on Sun, 03/01/2026 - 18:34 ", BRIDGE),
        ("en", "Posted on 1 March 2026, 18:34 GMT ", BRIDGE),
        ("fr", "Mise à jour | 04/05/2020 à 20:49 ", "Des plongeurs ont cherché lundi cinq disparus dans l'Aar."),
        ("en", "16:30 ", BRIDGE),
        ("en", "9.30am: ", BRIDGE),
        ("de", "16:30 Uhr ", "Taucher suchten am Montag in der Aare nach fünf Vermissten."),
        ("en", "BREAKING ", BRIDGE),
        ("en", "Watch: ", BRIDGE),
        ("en", "World News: BERN: ", BRIDGE),
        ("ru", "СРОЧНО: ", "Водолазы искали в понедельник пятерых пропавших в реке Ааре."),
        ("ar", "عاجل | ", "بحث الغواصون يوم الاثنين عن خمسة مفقودين في نهر آر قرب برن."),
        ("en", "Aare Post - ", BRIDGE),
        ("en", "aare-post.example | BERN (AP) — ", BRIDGE),
        ("en", f"{TITLE} ", "The bridge in Bern fell on Monday, and divers searched the river for five people."),
        ("en", f"{TITLE} — ", "The bridge in Bern fell on Monday, and divers searched the river for five people."),
        ("en", f"BREAKING: {TITLE} ", "The bridge in Bern fell on Monday, and divers searched the river."),
    ],
)
def test_a_sentence_begins_behind_what_stands_before_it(language, before, sentence):
    title = TITLE if TITLE in before else "A title of other words"

    assert clear_sentences(before + sentence, title=title, language=language) == [sentence]


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "By Monday, divers had searched the river Aar for five people who are missing."),
        ("en", "Bridge collapses in Bern, killing twelve people who were on their way to work on Monday."),
        ("en", "Breaking the ice on the river took the divers of the canton a whole morning."),
        ("en", "Live ammunition was found under the bridge over the river Aar on Monday, police said."),
        ("en", "Reuters reported on Monday that the bridge over the river Aar had been closed for good."),
        ("en", "The owners said the newspaper The Guardian reported on the bridge in Los Angeles on Monday."),
        ("en", "Officials call the “Bridge of Sighs” Venice's best-known bridge, and closed it on Monday."),
        ("de", "Von der Brücke über die Aare stürzten am Montag zwölf Menschen in den Fluss."),
        ("es", "El alcalde de Los Ángeles dijo a El País que el puente se cerró el lunes."),
    ],
)
def test_a_sentence_that_has_nothing_before_it_begins_where_it_begins(language, text):
    assert clear_sentences(text, title=TITLE, language=language) == [text]


@pytest.mark.parametrize(
    "text",
    [
        "By Laila Bassam and Yomna Ehab Divers searched the river Aar for five people on Monday.",
        "Police confronted a man and then ‘returned fire, killing the suspect’ Authorities say three people are dead.",
        "Divers look for five people who are still missing in the river The bridge over the Aar fell on Monday.",
        "Bridge falls in Bern | Divers look for five people in the river | Cracks were known for years.",
        "Currently, five people are missing in the river Aar.Over 30 others were pulled from the water.",
        "Bridge over the Aar in Bern — Foto: Ana Silva/Estado The bridge was closed on Monday because of cracks.",
        f"{TITLE} Monday morning saw the worst accident of the year in the whole of Switzerland.",
    ],
)
def test_a_sentence_of_which_it_is_not_clear_where_it_begins_is_left_out_for_the_next_one(text):
    found = clear_sentences(f"{text} {BRIDGE}", title=TITLE)

    assert found[-1] == BRIDGE
    assert not any(sentence in text for sentence in found)


def test_a_headline_of_two_sentences_before_a_text_is_no_part_of_it():
    title = "Is the bridge in Bern safe? Engineers warn of cracks"

    found = clear_sentences(f"{title} Engineers said on Monday that the bridge in Bern has cracks.", title=title)

    assert found[-1] == "Engineers said on Monday that the bridge in Bern has cracks."


def test_an_outlets_name_is_that_of_its_site_too():
    text = f"BernPost: {BRIDGE}"
    report = dataclasses.replace(article("The Post", "-", text), host="www.bernpost.example")

    start, end, is_clear = next(first_sentences(report, text))

    assert is_clear
    assert text[start:end] == BRIDGE


@pytest.mark.parametrize(
    ("outlet", "end", "goes"),
    [
        ("Harbour.example", " - The Harbour", True),
        ("The Harbour", " | Harbour News", True),
        ("Post", " - Harbour", False),
    ],
)
def test_the_name_of_the_outlet_at_the_end_of_a_title_goes_with_or_without_the(outlet, end, goes):
    title = "Ferry Marsk runs again after the storm"
    own = dataclasses.replace(article(outlet, title + end), host=f"www.{outlet.lower().removeprefix('the ')}")

    assert title_without_outlet(own) == (title if goes else title + end)


@pytest.mark.parametrize(
    ("host", "outlet", "tail"),
    [
        ("www.smh.com.au", "Smh.com.au", " - Sydney Morning Herald"),
        ("profootballtalk.nbcsports.com", "Nbcsports.com", " - NBCSports.com"),
        ("www.gsmarena.com", "Gsmarena.com", " - GSMArena.com news - GSMArena.com"),
        ("nypost.com", "Nypost.com", " - New York Post"),
        ("www.vedomosti.ru", "Vedomosti.ru", " - Ведомости"),
        ("ria.ru", "RIA", " - РИА Новости"),
        ("russian.rt.com", "RT", " - RT на русском"),
        ("www.gizmodo.com.au", "Gizmodo.com.au", " - Gizmodo Australia"),
        ("www.youtube.com", "Youtube.com", " | ESPN FC - ESPN UK"),
        ("news.google.com", "news.google.com", " - XDA Developers"),
        ("news.google.com", "Anhui News", "-cnanhui.org"),
        ("espn.com", "Espn.com", " - ESPNHS.com"),
    ],
)
def test_a_title_ends_before_the_name_of_its_outlet_however_it_is_written(host, outlet, tail):
    report = dataclasses.replace(article("Aare Post", TITLE + tail), host=host, outlet=outlet)

    assert title_without_outlet(report) == TITLE


@pytest.mark.parametrize(
    "tail", [" - Mayor of Bern", " - Time for change", " | Two years later", " - AFP", ": Booking.com", "-Booking.com"]
)
def test_other_words_behind_a_separator_stay(tail):
    report = dataclasses.replace(article("Time", TITLE + tail), host="time.com")

    assert title_without_outlet(report) == TITLE + tail


@pytest.mark.parametrize(
    "text",
    [
        "MP has been under pressure to say who paid reporters The Labour minister has resigned from the government.",
        "Mayor calls the firm a ‘people who never saw it’ Swiss-Italian row – latest updates The army found five.",
        "Mayor calls the builder a friend of the river and guests The Swiss army said it would search for five people.",
    ],
)
def test_a_line_glued_to_a_sentence_by_an_article_is_not_the_beginning_of_it(text):
    assert clear_sentences(text) == []


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("Villages above the lake cut off for days", "At least five people fell into the Aare near Bern."),
        ("Opposition asks who paid for all of the boats", "The Swiss army will search the Aare for five people."),
        ("Divers have been in the water since the weekend", "The UK has sent divers to the Aare for five people."),
    ],
)
def test_a_sentence_behind_a_line_begins_where_it_speaks_of_what_the_title_says(line, sentence):
    report = article("Aare Post", "Five people missing in the Aare after the storm", f"{line} {sentence}")

    assert [report.text[start:end] for start, end, is_clear in first_sentences(report, report.text) if is_clear] == [
        sentence
    ]


@pytest.mark.parametrize(
    "text",
    [
        "Engineers have opened a new console that is called the Xbox One controllers on the Aare for five people.",
        "Smoke and flames rose for hours on Monday from the landmark The Aare as five people were missing there.",
        "The singer celebrates the release of the album “Kiss All the five people missing in the Aare” this week.",
        "Divers search the water all day A boat near the Aare with five people on Monday (Reuters/Eva Lind) Off",
    ],
)
def test_a_capital_inside_a_name_or_a_caption_begins_no_sentence(text):
    report = article("Aare Post", "Five people missing in the Aare after the storm", text)

    assert not any(is_clear for _, _, is_clear in first_sentences(report, text))


def test_the_sentences_of_a_caption_are_not_quoted():
    caption = "Smoke rises over the Aare near Bern on Monday. The army searched for five people (Eva Lind/AFP) Off"

    assert readable.is_caption(caption, caption.index("Monday.") + len("Monday."))
    assert not readable.is_caption(f"{BRIDGE} The army searched for five people.", len(BRIDGE))


def test_a_name_that_begins_with_an_article_glues_nothing():
    text = "The mayor of Bern told The Guardian on Monday that the divers would search the river for a week."

    assert clear_sentences(text) == [text]


def test_a_sentence_begins_behind_the_state_of_the_comments_of_a_page():
    assert clear_sentences(f"Submitted by AP staff on Sun, 03/01/2026 - 18:34 Off {BRIDGE}") == [BRIDGE]
