"""What a title says of its page."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from watcher.text.page_kind import classify_kind, is_address_of, is_title_of


@pytest.mark.parametrize(
    ("title", "kind"),
    [
        ("Live: storm reaches the coast", "live"),
        ("LIVE Storm reaches the coast", "live"),
        ("Storm reaches the coast – live updates", "live"),
        ("Storm – live: first ferry reaches the harbour", "live"),
        ("Harbour fire updates: Second ship reaches port", "live"),
        ("Storm reaches the coast | Live", "live"),
        ("Storm in the north: as it happened", "live"),
        ("Liveticker: Sturm an der Küste", "live"),
        ("EN DIRECT - La tempête atteint la côte", "live"),
        ("Cup final LIVE: the harbour town against the island", "live"),
        ("Storm in the north LIVE - ferries stop", "live"),
        ("Harbour town vs Island LIVE! Cup match, latest score", "live"),
        ("Tempesta sulla costa. LIVE", "live"),
        ("June 14, 2023 The latest on the storm", "live"),
        ("Sturm an der Küste +++ Newsticker +++", "live"),
        ("La tormenta llega a la costa, minuto a minuto", "live"),
        ("AO VIVO: tempestade atinge a costa", "live"),
        ("Burza na wybrzeżu. Relacja na żywo", "live"),
        ("Шторм на побережье: текстовая трансляция", "live"),
        ("تغطية مباشرة: العاصفة تصل إلى الساحل", "live"),
        ("【随時更新】台風が接近", "live"),
        ("Live music returns to the harbour", "article"),
        ("Listen live: the court broadcasts its hearing", "live"),
        ("Watch live as the probe lands", "live"),
        ("The probe lands - watch live", "live"),
        ("Watch live music return to the parks", "article"),
        ("Oliver Live wins the race", "article"),
        ("Online: shops grow at the harbour", "article"),
        ("How to watch the final: TV channel and live stream", "service"),
        ("直播带货改变港口小镇", "article"),
        ("[부산 Live] 항구 축제 열려", "article"),
        ("Directo a la final", "article"),
        ("Where people live longest", "article"),
        ("Why the harbour must not be sold", "opinion"),
        ("Fares: no excuse for another rise", "opinion"),
        ("It's time to give the harbour back to its town", "opinion"),
        ("Mayor says it's time to give the harbour back to its town", "article"),
        ("Why the harbour was sold", "article"),
        ("[Test] Un téléphone pour le port", "service"),
        ("Test du téléphone du port : une bonne surprise", "service"),
        ("Test of sirens in the harbour on Monday", "article"),
        ("Do you know how to tie a knot? Here is what sailors do", "service"),
        ("Morning briefing: a storm and a ferry", "roundup"),
        ("Storm in the south, day 2: Dam holds, ferries stay in port", "roundup"),
        ("Sturm im Süden Tag 12: Der Damm hält", "roundup"),
        ("Day 2 of the storm: ferries stay in port", "article"),
        ("Presseschau vom Montag", "roundup"),
        ("10 things in tech you need to know today", "roundup"),
        ("News des Tages: Sturm, Fähre, Brücke", "roundup"),
        ("L'actu en bref : tempête et ferry", "roundup"),
        ("Las claves del día: tormenta y puente", "roundup"),
        ("Przegląd prasy, poniedziałek", "roundup"),
        ("Главные новости за ночь", "roundup"),
        ("Паром снова ходит, мост закрыт: новости за 16 июня", "roundup"),
        ("Bridge collapse updates May 7: Ferry runs again", "roundup"),
        ("Bridge collapse latest: at a glance", "roundup"),
        ("Le notizie di sabato 17 giugno: il ponte", "roundup"),
        ("Brücke in Bern: Das geschah in der Nacht zu Freitag", "roundup"),
        ("Шторм, паром, мост: главные новости дня", "roundup"),
        ("Паром снова ходит - Гавань: главные новости побережья и островов", "article"),
        ("Top stories: storm, ferry, bridge", "roundup"),
        ("Flood update: Dam holds as cost passes 250,000, Council of Brindle opens two schools", "roundup"),
        ("Flood update: Dam above Lindow holds, Council of Brindle opens two schools", "roundup"),
        ("Lindow 100 Live: Shares of Harbour Works rise", "live"),
        ("Cost of the dam rises - latest updates", "live"),
        ("How We Live: Families show their kitchens", "article"),
        ("Harbour Works Rises With Ferries: Markets Wrap", "roundup"),
        ("Marktbericht: Aktien der Hafenwerke steigen", "roundup"),
        ("Shares of Harbour Works rise; council opens two schools; ferry is late", "roundup"),
        ("Dam above Lindow holds; town is still evacuated", "article"),
        ("Replay: Mayor of Lindow opens the bridge", "video"),
        ("Flood update: With 38 more, Lindow has 411 houses under water", "article"),
        ("Flood update: 411 houses in Lindow under water, 38 more than on Monday", "article"),
        ("The storm reaches the coast, News & Top Stories - The Harbour Post", "article"),
        ("موجز الأنباء ليوم الاثنين", "roundup"),
        ("今日のニュースまとめ", "roundup"),
        ("Morning briefing", "roundup"),
        ("Your morning briefing, 3 June", "roundup"),
        ("Evening Digest for Monday: storm and ferry", "roundup"),
        ("The harbour – weekend roundup: storm, ferry, bridge", "roundup"),
        ("Minister skips daily briefing on the storm", "article"),
        ("Daily briefing by ferry line cancelled", "article"),
        ("Mayor to hold daily briefing", "article"),
        ("Briefs: council, roads and fire", "roundup"),
        ("News briefs", "roundup"),
        ("Brief ceasefire in the valley collapses", "article"),
        ("Briefs filed in harbour case", "article"),
        ("BRIEF-Harbour Lines posts third-quarter loss", "article"),
        ("Three things to know about the new ferry", "analysis"),
        ("Die Lage am Hafen bleibt angespannt", "article"),
        ("Leaders hold conference on the storm - watch live - Harbour Post", "live"),
        ("Шторм в Линдове: главные новости о шторме к 4 мая", "roundup"),
        ("In pictures: the storm", "gallery"),
        ("【写真特集】台風の爪痕", "gallery"),
        ("The storm – in pictures", "gallery"),
        ("Fotostrecke: der Sturm", "gallery"),
        ("Photos of the day: the storm", "gallery"),
        ("Photos of the storm stolen", "article"),
        ("War in the valley: list of key events, day 1,464", "roundup"),
        ("Key developments on day 12", "roundup"),
        ("Key events to be held on the day of the vote", "article"),
        ("Harbour residents: tell us about the new ferry", "service"),
        ("Share your experience of the storm", "service"),
        ("Ministers tell us nothing about the ferry, says mayor", "article"),
        ("", "article"),
    ],
)
def test_a_title_says_what_its_page_is(title, kind):
    assert classify_kind(title) == kind


def test_a_live_address_is_told_by_a_part_of_its_path():
    assert is_address_of("live", "https://news.example/world/live/storm")
    assert is_address_of("live", "https://news.example/world/storm-at-the-coast-live-updates-1.2345")
    assert not is_address_of("live", "https://news.example/world/the-house-where-we-live-newsroom-opens")
    assert is_address_of("live", "https://news.example/live-blog-storm")
    assert classify_kind("The storm", url="https://news.example/2026/3/storm-at-the-coast-live-latest-news/") == "live"
    assert not is_address_of("live", "https://news.example/living/deliver-live-music")


def test_an_address_of_analysis_is_told_by_a_folder():
    assert classify_kind("The storm", url="https://news.example/world/podcasts/the-storm") == "analysis"
    assert classify_kind("The storm", url="https://news.example/longform/2026/3/the-storm") == "analysis"
    assert classify_kind("The storm", url="https://news.example/media/podcasts-are-back") == "article"


def test_leaders_are_opinion_only_as_the_first_folder_of_an_address():
    assert classify_kind("The storm", url="https://news.example/leaders/2026/3/the-storm") == "opinion"
    assert classify_kind("The storm", url="https://news.example/work/leaders/the-storm") == "article"


def test_an_address_of_round_ups_is_told_by_a_folder():
    assert is_address_of("roundup", "https://news.example/newsletters/monday-7120a6cf")
    assert not is_address_of("roundup", "https://news.example/media/newsletters-are-back")


@pytest.mark.parametrize(
    "title",
    [
        "Video: the storm",
        "【動画】台風が接近",
        "The storm [VIDEO]",
        "Видео: шторм",
        "فيديو | العاصفة",
        "The storm | Video",
    ],
)
def test_a_title_can_say_that_it_is_about_a_video(title):
    assert is_title_of("video", title)


@pytest.mark.parametrize(
    "title", ["Video shows the storm", "How to watch the storm", "The video game", "Watch out for ice"]
)
def test_a_title_about_a_video_does_not(title):
    assert not is_title_of("video", title)


@pytest.mark.parametrize("half", ["dev", "test"])
def test_live_blogs_and_round_ups_of_ten_languages_are_told_from_titles_that_look_like_them(half):
    with Path("tests/data/page_kinds.tsv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file, delimiter="\t") if row["half"] == half]

    wrong = [row["title"] for row in rows if classify_kind(row["title"]) != row["kind"]]

    assert len(rows) == 80
    assert wrong == []


@pytest.mark.parametrize(
    ("title", "url", "text"),
    [
        ("Government launches hospital review", "https://x.example/politics/hospital-review", ""),
        ("North Korea resumes nuclear tests", "https://x.example/world/tests/kp-2026", ""),
        ("Tickets for the final go on sale", "https://x.example/sport/final", "Tickets go on sale this week, it said."),
        (
            "Cent députés demandent une enquête",
            "https://x.example/a",
            "Dans une tribune publiée lundi, cent députés l'ont dit.",
        ),
        (
            "Minister calls for talks",
            "https://x.example/b",
            "The minister said in an op-ed for the daily that talks must begin.",
        ),
    ],
)
def test_news_of_a_review_a_test_a_sale_or_an_opinion_piece_stays_news(title, url, text):
    assert classify_kind(title, url=url, text=text) == "article"


@pytest.mark.parametrize(
    ("title", "path", "text"),
    [
        ("ANNA MOREAU: The harbour toll punishes the wrong people", "/news/article-1", ""),
        ("ANNA MOREAU And J. LIND: A toll for nobody", "/news/article-1", ""),
        ("SEAN O'HARA: Is this what we voted for?", "/news/article-1", ""),
        ("HARBOUR POST COMMENT: A toll for nobody", "/news/article-1", ""),
        ("Why the Harbour Matters: ‘It Is Our Home’ (Guest Column)", "/film/awards/harbour-123", ""),
        ("The harbour toll punishes the wrong people", "/2026/03/01/opinion-the-harbour-toll-punishes-anna-moreau", ""),
        ("The harbour toll punishes the wrong people", "/debate/article-15/toll.html", ""),
        ("Dieser Hafen braucht keine Mauer", "/sport/hafen-mauer-kommentar-li.3361241", ""),
        ("Dieser Hafen braucht keine Mauer", "/politik/kommentar-zum-hafenstreit-189.html", ""),
        ("Keine Mauer", "/a", "Der Hafen will eine Mauer. Ein Kommentar von Anna Lind"),
        ("Evidence at last", "/a", "Editor's note: Harbour Voice gives instant commentary on the news of the day."),
        ("The film's twist was not its worst", "/a", "Hear us out. The film divided those who saw it."),
        ("Hafenmaut", "/a", "Seien wir ehrlich: Diese Maut hilft niemandem."),
        ("Le péage du port", "/a", "Soyons honnêtes, ce péage n'aide personne."),
        ("Плата за порт", "/a", "Будем честны: эта плата никому не помогает."),
        ("[여성논단] 항구의 문", "/a", ""),
        ("[시론] 항구의 문", "/a", ""),
        ("客座评论：港口不需要墙", "/a", ""),
        ("Kolumne „Hafenblick“: Keine Mauer", "/a", ""),
        ("La chronique de Jean Dupont : le péage du port", "/a", ""),
        ("The toll that nobody wanted", "/politics/political-commentary/toll-123", ""),
        ("Haventol is niet ideaal", "/commentaar/haventol-is-niet-ideaal-1", ""),
        ("The toll that nobody wanted", "/a", "The harbour has lost its way, argues Anna Moreau."),
        ("The toll that nobody wanted", "/a", "Anna Moreau, guest columnist\nThe harbour has lost its way."),
        ("The case for a harbour toll", "/a", ""),
        ("The council has no realistic plan for the harbour", "/a", ""),
        ("The mayor misses an opportunity as the harbour opens", "/a", ""),
    ],
)
def test_a_columnists_name_a_label_a_judgement_or_a_word_to_the_readers_marks_a_comment(title, path, text):
    assert classify_kind(title, url=f"https://news.example{path}", text=text) == "opinion"


@pytest.mark.parametrize(
    ("title", "path", "text"),
    [
        ("JUST IN: Three ferries stopped by the storm", "/news/a", ""),
        ("IN FULL: Statement of the harbour office", "/news/a", ""),
        ("NATO: Ferries stay in port", "/news/a", ""),
        ("WHITE HOUSE: Ferries stay in port", "/news/a", ""),
        ("UPDATED TIMELINE: The storm hour by hour", "/news/a", ""),
        ("ANNA MOREAU: FERRIES STAY IN PORT", "/news/a", ""),
        ("Moreau: ferries stay in port", "/news/a", ""),
        ("Poll puts the mayor ahead", "/news/opinion-poll-puts-the-mayor-ahead", ""),
        ("Comment le port a changé", "/news/comment-le-port-a-change", ""),
        ("Mayor resigns", "/a", "“Let's face it, I lost,” the mayor said on Monday."),
        ("The case against the mayor is dropped by the court", "/a", ""),
        ("Case against the mayor adjourned", "/a", ""),
        ("Council has no realistic plan for the harbour, says Moreau", "/a", ""),
        ("Harbour: ‘We would love to see more ships’", "/a", ""),
        ("[속보] 항구 폐쇄", "/a", ""),
        ("Meinungsfreiheit: Gericht entscheidet", "/a", ""),
        ("Tree trunks take a licking", "/news-opinion/news/2020/05/05/trees.html", ""),
        ("Mayor resigns", "/a", "He has read all that the papers write, the mayor says."),
        ("Mayor resigns", "/a", "Der Bürgermeister gab einen Kommentar von drei Sätzen ab."),
    ],
)
def test_a_word_before_the_title_or_a_quotation_makes_no_comment(title, path, text):
    assert classify_kind(title, url=f"https://news.example{path}", text=text) == "article"


@pytest.mark.parametrize(
    ("title", "url", "text", "kind"),
    [
        ("Crowds mourn in the capital", "https://x.example/gallery/2026/3/1/crowds-mourn", "A few words.", "gallery"),
        (
            "Crowds mourn in the capital",
            "https://x.example/gallery/2026/3/1/crowds-mourn",
            "Many words. " * 80,
            "article",
        ),
        ("LINDOW-BRIDGE", "https://x.example/a", "(260301) -- LINDOW, March 1, 2026 (Agency) -- Crowds.", "gallery"),
        ("Best printers we tried", "https://x.example/gallery/best-printers", "A few words.", "service"),
        ("The awards' carpet in pictures: Lind, Moreau", "https://x.example/a", "", "gallery"),
        ("The minister was seen in pictures of the meeting", "https://x.example/a", "", "article"),
    ],
)
def test_a_gallery_is_known_by_its_address_if_it_has_little_text_and_by_its_title(title, url, text, kind):
    assert classify_kind(title, url=url, text=text) == kind


@pytest.mark.parametrize(
    "title",
    [
        "Storm over the harbour: what we know so far",
        "5 things to know as the harbour opens",
        "The harbour is closed. Here’s why",
        "The harbour toll, explained",
        "Harbour fires of the world; here`s a list of the worst",
        "Harbour toll: expert outlines three scenarios for ferries",
        "See where the ferries stopped",
        "The storm in maps",
        "Sturm am Hafen: Was wir wissen – und was nicht",
        "Zehn Fragen zur Hafenmaut",
        "Tempête au port : ce que l'on sait",
        "Cinq questions sur le péage du port",
        "Lo que se sabe de la tormenta en el puerto",
        "Tempesta nel porto, cosa sappiamo",
        "Tempestade no porto: o que se sabe",
        "Storm in de haven: dit weten we",
        "Stormen i hamnen: det vet vi",
        "Burza w porcie. Co wiemy",
        "Bouře v přístavu: co víme",
        "Vihar a kikötőben: amit tudni kell",
        "Furtună în port: ce știm",
        "Limandaki fırtına: neler biliniyor",
        "Шторм в порту: что известно к этому часу",
        "Шторм у порту: що відомо",
        "Καταιγίδα στο λιμάνι: όσα γνωρίζουμε",
        "عاصفة في الميناء: ماذا نعرف",
        "סערה בנמל: כל מה שידוע",
        "港口风暴：一文看懂",
        "Why did the harbour close?",
        "Harbour toll: what is it, and how can I pay it?",
        "Who was the man who built the harbour? - Ostrand Post",
        "Péage du port : pourquoi les ferries restent à quai ?",
        "Wie geht es nach dem Sturm weiter?",
        "Waarom is de haven dicht?",
        "¿Por qué cerró el puerto?",
        "Porto chiuso: cosa sta succedendo?",
        "Буря в порту: почему стоят паромы?",
    ],
)
def test_an_explainer_or_a_list_is_analysis(title):
    assert classify_kind(title, url="https://news.example/a") == "analysis"


@pytest.mark.parametrize(
    "title",
    [
        "Five people killed in harbour storm",
        "Mayor names five reasons to close the harbour",
        "Бургомистр назвал семь причин закрыть порт",
        "Mayor explained the toll to the council",
        "Ministre : trois morts dans la tempête",
        "Did the mayor close the harbour?",
        "“Why us?”: ferrymen ask as the harbour closes",
        "Why the harbour closed",
    ],
)
def test_numbers_and_reasons_in_a_report_make_no_explainer(title):
    assert classify_kind(title, url="https://news.example/a") == "article"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Anna Moreau, professor of harbours, is our guest.", "video"),
        ("In this episode of Harbour Voices, Anna Moreau speaks of the storm.", "video"),
        ("Anna Moreau est notre invitée.", "video"),
        ("Anna Moreau ist heute bei uns zu Gast.", "video"),
        ("Анна Моро — гость программы.", "video"),
        ("Anna Moreau was the guest of the mayor.", "article"),
        ("In the latest episode of the series the harbour burns.", "article"),
        ("The storm closed the harbour. " * 30 + "Anna Moreau is our guest.", "article"),
    ],
)
def test_a_short_text_that_names_the_guest_of_a_programme_is_a_video(text, kind):
    assert classify_kind("Storm closes the harbour", url="https://news.example/a", text=text) == kind
