"""The date of an event to come in a sentence: in many languages, from the day of the report, or none if in doubt."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from babel import Locale
from babel.dates import format_date
from hypothesis import example, given
from hypothesis import strategies as st

from digests.analysis.country_names import load_data
from digests.analysis.dates_ahead import days_of_report, find_date_ahead, find_put_off

SATURDAY = date(2026, 11, 28)
THURSDAY, TUESDAY = date(2026, 12, 3), date(2026, 12, 1)
DAYS = st.dates(min_value=date(2019, 1, 1), max_value=date(2032, 12, 31))


def read(text: str, language: str = "en", day: date = SATURDAY) -> date | None:
    found = find_date_ahead(text, language, {day})
    return found.on if found else None


ANNOUNCED = [
    ("en", "The court will rule on 3 December on the case.", THURSDAY),
    ("en", "The court will rule on Thursday, December 3rd, on the case.", THURSDAY),
    ("en", "On Thursday, the court will rule on the case.", THURSDAY),
    ("en", "The vote is set for tomorrow in parliament.", date(2026, 11, 29)),
    ("en", "The court is expected to rule on 3 December.", THURSDAY),
    ("en", "The president will travel to Paris on Thursday.", THURSDAY),
    ("en", "Talks, due to resume on Thursday, will be led by the minister.", THURSDAY),
    ("de", "Das Gericht entscheidet am 3. Dezember über die Klage.", THURSDAY),
    ("de", "Am 03.12.2026 soll der Prozess beginnen.", THURSDAY),
    ("de", "Die Gespräche werden am Dienstag in Genf fortgesetzt.", TUESDAY),
    ("fr", "Le procès s'ouvrira mardi prochain à Paris.", TUESDAY),
    ("fr", "Le tribunal rendra sa décision le 3 décembre.", THURSDAY),
    ("es", "El juicio comenzará el próximo martes en Madrid.", TUESDAY),
    ("es", "El ministro viajará a Roma el 3 de diciembre.", THURSDAY),
    ("it", "Il processo inizierà martedì prossimo a Roma.", TUESDAY),
    ("pt", "O julgamento será na terça-feira (1).", TUESDAY),
    ("pt", "O ator deve comparecer a um tribunal no dia 3 de dezembro.", THURSDAY),
    ("nl", "De rechtszaak begint dinsdag in Den Haag.", TUESDAY),
    ("sv", "Rättegången inleds på tisdag i Malmö.", TUESDAY),
    ("da", "Retssagen begynder 3. december i København.", THURSDAY),
    ("nb", "Rettssaken starter 3. desember i Oslo.", THURSDAY),
    ("fi", "Oikeudenkäynti alkaa tiistaina Helsingissä.", TUESDAY),
    ("pl", "Proces rozpocznie się w środę w Warszawie.", date(2026, 12, 2)),
    ("cs", "Soud začne ve středu v Praze.", date(2026, 12, 2)),
    ("ro", "Procesul va începe marți la București.", TUESDAY),
    ("hu", "A tárgyalás december 3-án kezdődik Budapesten.", THURSDAY),
    ("tr", "Zirve 3 Aralık'ta Ankara'da yapılacak.", THURSDAY),
    ("ru", "Суд состоится 3 декабря в Москве.", THURSDAY),
    ("ru", "Суд состоится по жалобе адвокатов 3 декабря.", THURSDAY),
    ("ru", "По этой причине с 3 декабря будет введен новый режим проезда.", THURSDAY),
    ("uk", "Суд відбудеться у середу в Києві.", date(2026, 12, 2)),
    ("bg", "Делото ще започне на 3 декември.", THURSDAY),
    ("hr", "Suđenje počinje 3. prosinca.", THURSDAY),
    ("el", "Η δίκη θα ξεκινήσει στις 3 Δεκεμβρίου.", THURSDAY),
    ("ar", "ستعقد القمة في ٣ ديسمبر المقبل في الرياض.", THURSDAY),
    ("ar", "سيعقد الاجتماع يوم الثلاثاء المقبل في القاهرة.", TUESDAY),
    ("fa", "این نشست روز سه‌شنبه برگزار خواهد شد.", TUESDAY),
    ("fa", "این نشست ۳ دسامبر برگزار خواهد شد.", THURSDAY),
    ("he", "הדיון יתקיים ביום שלישי בבית המשפט.", TUESDAY),
    ("he", "הבחירות ייערכו ב-3 בדצמבר.", THURSDAY),
    ("hi", "बैठक ३ दिसंबर को होगी।", THURSDAY),
    ("id", "Sidang akan digelar pada 3 Desember di Jakarta.", THURSDAY),
    ("vi", "Phiên tòa sẽ mở vào thứ ba tới.", TUESDAY),
    ("ja", "首脳会談は１２月３日に開かれる。", THURSDAY),
    ("ko", "회담은 오는 3일 서울에서 열린다.", THURSDAY),
    ("ko", "회담은 다음 달 3일 서울에서 열린다.", THURSDAY),
    ("zh", "会议将于12月3日在北京举行。", THURSDAY),
]


@pytest.mark.parametrize(("language", "text", "on"), ANNOUNCED)
def test_an_announced_date_is_read(language, text, on):
    assert read(text, language) == on


# An event of 3 December: a country of the outlet, a sentence, the time in UTC.
TIMES = [
    ("en", None, "The court will rule at 14:00 GMT on Thursday.", "14:00"),
    ("en", "GB", "The court will rule on Thursday at 2 p.m. in the case.", "14:00"),
    ("en", None, "The court will rule 14:00 GMT on Thursday.", "14:00"),
    ("en", None, "It will hold a live stream at 11AM ET on December 3rd, a promotional video says.", "16:00"),
    ("en", "GB", "The event will start on Thursday, 7pm local time (19:00 GMT).", "19:00"),
    ("de", "AT", "Das Gericht entscheidet am 3. Dezember um 14 Uhr über die Klage.", "13:00"),
    ("de", "DE", "Das Gericht entscheidet am 3. Dezember um 14.30 Uhr über die Klage.", "13:30"),
    ("fr", "FR", "Le procès s'ouvrira jeudi 3 décembre à 14 h 30 à Nice.", "13:30"),
    ("es", "AR", "El juicio comenzará el 3 de diciembre a las 15 horas.", "18:00"),
    ("es", "CO", "El juicio comenzará el 3 de diciembre a las 3:30 de la tarde.", "20:30"),
    ("pt", "BR", "O jogo será na quinta-feira (3), às 20h30 (de Brasília), no estádio.", "23:30"),
    ("it", "IT", "Il processo inizierà il 3 dicembre alle 20.45.", "19:45"),
    ("nl", "NL", "De rechtszaak begint donderdag 3 december om 14.00 uur.", "13:00"),
    ("sv", "SE", "Rättegången inleds 3 december klockan 14.", "13:00"),
    ("da", "DK", "Retssagen begynder 3. december kl. 14.30.", "13:30"),
    ("nb", "NO", "Rettssaken starter 3. desember klokken 14.", "13:00"),
    ("fi", "FI", "Oikeudenkäynti alkaa 3. joulukuuta kello 14.00.", "12:00"),
    ("pl", "PL", "Proces rozpocznie się 3 grudnia o godz. 14.", "13:00"),
    ("cs", "CZ", "Soud začne 3. prosince v 14:00.", "13:00"),
    ("ro", "RO", "Procesul va începe 3 decembrie, ora 14:00.", "12:00"),
    ("hu", "HU", "A tárgyalás december 3-án 14 órakor kezdődik.", "13:00"),
    ("tr", "TR", "Zirve 3 Aralık saat 14.00'te yapılacak.", "11:00"),
    ("ru", "RU", "Суд состоится 3 декабря в 15:00 мск.", "12:00"),
    ("ru", "KG", "Суд состоится 3 декабря в 15 часов.", "09:00"),
    ("uk", "UA", "Суд відбудеться 3 грудня о 15:00 за Києвом.", "13:00"),
    ("bg", "BG", "Делото ще започне на 3 декември в 14:00 часа.", "12:00"),
    ("hr", "HR", "Suđenje počinje 3. prosinca u 15 sati.", "14:00"),
    ("el", "GR", "Η δίκη θα ξεκινήσει στις 3 Δεκεμβρίου στις 14:00.", "12:00"),
    ("ar", "QA", "ستعقد القمة في ٣ ديسمبر المقبل الساعة ١٤:٠٠ بتوقيت غرينتش.", "14:00"),
    ("fa", "IR", "این نشست ۳ دسامبر ساعت ۱۵ برگزار خواهد شد.", "11:30"),
    ("he", "IL", "הבחירות ייערכו ב-3 בדצמבר בשעה 14:00.", "12:00"),
    ("id", "ID", "Sidang akan digelar pada 3 Desember pukul 14.00 WIB.", "07:00"),
    ("vi", "VN", "Phiên tòa sẽ mở vào ngày 3 tháng 12 lúc 14:00.", "07:00"),
    ("ja", "JP", "首脳会談は１２月３日午後３時に開かれる。", "06:00"),
    ("ko", "KR", "회담은 오는 3일 오후 3시 30분 서울에서 열린다.", "06:30"),
    ("zh", "HK", "会议将于12月3日下午3时在香港举行。", "07:00"),
]


@pytest.mark.parametrize(("language", "country", "text", "clock"), TIMES)
def test_a_time_beside_the_date_is_read_in_its_zone(language, country, text, clock):
    found = find_date_ahead(text, language, {SATURDAY}, country)

    assert found.on == THURSDAY
    assert f"{found.begins_at:%Y-%m-%d %H:%M}" == f"2026-12-03 {clock}" and found.begins_at.tzinfo == UTC


@pytest.mark.parametrize(
    ("language", "country", "text"),
    [
        ("en", None, "The court will rule on Thursday at 2 p.m. in the case."),
        ("en", "US", "The court will rule on Thursday at 2 p.m. in the case."),  # a country with several zones
        ("en", "GB", "The summit in France will start on Thursday at 8:30 pm."),
        ("en", "GB", "The summit will start on Thursday at 7 pm local time."),
        ("ko", "KR", "회담은 오는 3일 오후 3시(현지시간) 열린다."),
        ("en", "GB", "The match will start on Thursday at 8."),
        ("en", "GB", "The match will start on Thursday at 8:30."),  # in the morning or in the evening
        ("zh", "HK", "会议将于12月3日3时举行。"),
        ("en", "GB", "The bell will ring on Thursday at 12 p.m. sharp."),  # noon, or midnight
        ("en", "GB", "The desk will open on Thursday at 2pm to 4pm."),
        ("en", "GB", "He said at 10:00 GMT that the court will rule on Thursday."),
        ("en", "GB", "The court will rule on Thursday, a spokesman said at 10:00 GMT."),
        ("en", "GB", "The plan will start on 3 December at 1.50 euro a day."),
        ("en", "GB", "The desk will open on 3-5 December at 2 pm."),
        ("fr", "FR", "Le pays va rouvrir le 3 décembre, mais le présentateur du 13 heures reste."),  # a programme
        ("fr", "FR", "Le ministre sera le 3 décembre au 20 heures de TF 1."),
        ("it", "IT", "Il processo inizierà il 3 dicembre, dice il Tg delle ore 20."),
        ("es", "AR", "El canal comenzará el 3 de diciembre su noticiero de las 21 horas."),
        ("fr", "FR", "La série commence jeudi 3 décembre, chaque semaine à 20h15."),  # of each part of a series
        ("de", "DE", "Der Markt beginnt am 3. Dezember um 18 Uhr, immer donnerstags."),
        ("ko", "KR", "축제는 오는 3일 개최될 예정인 가운데 1일 오후 2시부터 티켓 판매가 시작된다."),  # of another day
        ("ko", "KR", "공모전은 오는 3일에 접수를 시작해 12월 7일 오후 5시에 마감한다."),
        ("ja", "JP", "祭りは１２月３日に開かれる予定で、券は１日午後２時から売られる。"),
        ("en", "GB", "Tickets go on sale tomorrow at 2 pm for the play that opens on 3 December."),
        ("en", "GB", "The court will rule on Thursday, when shops close at 10 pm."),
        ("pt", "BR", "O festival será na quinta-feira (3) com show de 4 horas."),  # how long it lasts
    ],
)
def test_a_time_in_doubt_is_none(language, country, text):
    found = find_date_ahead(text, language, {SATURDAY}, country)

    assert found.on == THURSDAY and found.begins_at is None


@given(DAYS, st.integers(1, 90), st.times(), st.sampled_from(["DE", "GB", "NZ", "IR", "BR"]))
def test_a_time_is_that_of_its_zone_when_clocks_change_or_it_is_in_doubt(day, ahead, clock, country):
    zones = {"DE": "Europe/Berlin", "GB": "Europe/London", "NZ": None, "IR": "Asia/Tehran", "BR": None}
    on = day + timedelta(days=ahead)

    found = find_date_ahead(f"Die Sitzung beginnt am {on.day}.{on:%m.%Y} um {clock:%H:%M} Uhr.", "de", {day}, country)

    if zones[country] is None:
        assert found.begins_at is None
        return
    wall = datetime.combine(on, clock.replace(second=0, microsecond=0), ZoneInfo(zones[country]))
    is_certain = wall.utcoffset() == wall.replace(fold=1).utcoffset()
    assert found.begins_at == (wall.astimezone(UTC) if is_certain else None)


@pytest.mark.parametrize(("text", "hour"), [("29.03.2026", 2), ("25.10.2026", 2)])
def test_an_hour_that_clocks_skip_or_repeat_is_none(text, hour):
    day = date(2026, 3, 1) if "03" in text else date(2026, 10, 1)
    sentence = f"Die Sitzung beginnt am {text} um {{}}:30 Uhr."

    before, changed = (find_date_ahead(sentence.format(each), "de", {day}, "DE") for each in (hour - 1, hour))

    assert changed.begins_at is None and before.begins_at is not None


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The court ruled on Thursday."),
        ("en", "The minister said on Tuesday it will rule on the case."),
        ("en", "He had been due to return on Thursday."),
        ("en", "The court could rule on 3 December."),
        ("en", "The court will not rule on 3 December."),
        ("en", "If the talks fail, the court will rule on 3 December."),
        ("en", "The shops will stay closed until 3 December."),
        ("en", "The shops will stay closed until the summit on 3 December."),
        ("en", "The anniversary will be marked on 3 December."),
        ("en", "The extra meeting scheduled for Thursday was cancelled."),
        ("en", "It will pay on May 12 million euros."),
        ("ru", "Он будет платить 3 мая % годовых."),
        ("en", "The plan will cost 3 million and may 12 percent more."),
        ("en", "The team will play 3 games and Sheffield Wednesday will win."),
        ("en", "The court will rule on Tuesday, December 3."),  # a Thursday
        ("en", "The court will rule on February 30."),
        ("en", "The court will rule on 3 December 2025."),
        ("en", "Talks will resume next Sunday."),  # tomorrow, or in eight days
        ("en", "Talks will resume on Saturday."),  # today, or in a week
        ("en", "There will be rain on Thursday."),
        ("en", "The team will travel to New Orleans on Christmas Day for the first Thursday game of the league."),
        ("en", "Voting will run through 5 p.m. PT on December 3."),
        ("fr", "Le jeu sera diffusé du lundi au vendredi dès 20h15."),  # every day
        ("en", "The game will be shown Monday to Friday on television."),
        ("ko", "조직위는 오는 3일 개최를 목표로 준비해온 영화제 개최를 중단하기로 했다."),  # it is called off
        ("de", "Selina Freitag wird Dritte."),
        ("de", "Das Treffen am Donnerstag in Genf."),
        ("de", "Das Gericht will bis zum 3. Dezember entscheiden."),
        ("fr", "Le tribunal pourrait rendre sa décision le 3 décembre."),
        ("pt", "A escola vai desfilar na terça-feira de Carnaval."),  # another Tuesday
        ("es", "El juez decidirá el martes de la próxima semana."),
        ("ru", "Порядок будет действовать до конца суток 3 декабря."),
        ("ru", "Представитель заявил в четверг об этом, но суд будет."),
        ("ko", "회담은 다음 달 3일까지 열린다."),
        ("ko", "회담은 오는 28일 열린다."),  # today, or in a month
        ("zh", "结果将在12月3日之后公布。"),
        ("zh", "捕捞计划开展至12月3日。"),
        ("xx", "The court will rule on 3 December."),
    ],
)
def test_what_is_no_announcement_or_in_doubt_has_no_date(language, text):
    assert read(text, language) is None


@pytest.mark.parametrize("day", ["Saturday", "28 November", "November 28"])
def test_the_day_of_the_report_is_announced_only_with_a_time(day):
    without, with_time, said = (
        find_date_ahead(text, "en", {SATURDAY})
        for text in (
            f"The court will rule on {day}.",
            f"The court will rule on {day} at 20:00 GMT.",
            f"The minister said on {day} at 20:00 GMT that it will rule.",
        )
    )

    assert without is None and said is None
    assert (with_time.on, with_time.begins_at) == (SATURDAY, datetime(2026, 11, 28, 20, tzinfo=UTC))


def test_the_day_of_a_report_is_no_new_day_of_what_is_put_off():
    text = "Judges on Saturday postponed the ruling to Thursday."

    assert find_put_off(text, "en", {SATURDAY}) == {THURSDAY}
    assert find_put_off("Judges on Saturday postponed the ruling.", "en", {SATURDAY}) == set()


def test_next_month_is_in_doubt_in_a_report_of_the_first_of_a_month():
    text = "회담은 다음 달 17일 서울에서 열린다."
    evening, morning = datetime(2026, 11, 30, 12, 40, tzinfo=UTC), datetime(2026, 11, 30, 22, 47, tzinfo=UTC)

    said, late = (find_date_ahead(text, "ko", days_of_report(at, "KR")) for at in (evening, morning))

    assert said.on == date(2026, 12, 17)
    assert late is None  # 07:47 on 1 December in Seoul: the text may be of the evening before


def test_a_month_and_a_range_have_a_first_and_a_last_day():
    month = find_date_ahead("The court will rule in December.", "en", {SATURDAY})
    days = find_date_ahead("The summit will take place on 3-5 December.", "en", {SATURDAY})

    assert (month.on, month.until) == (date(2026, 12, 1), date(2026, 12, 31))
    assert (days.on, days.until) == (THURSDAY, date(2026, 12, 5))


def test_all_languages_with_words_know_their_months_and_weekdays():
    tables = {key: table for key, table in load_data("dates_ahead").items() if "date" not in table and "ahead" in table}
    for language, table in tables.items():
        locale = Locale.parse(language)
        ahead = table["ahead"].split()[0].replace("_", " ").rstrip("*")
        text = f"{ahead} 3 {locale.months['format']['wide'][12]} {ahead}"

        assert read(text, language) == THURSDAY or language == "vi", language


@given(DAYS, st.integers(1, 90))
@example(date(2024, 2, 28), 1)
@example(date(2023, 12, 31), 60)
def test_a_date_without_a_year_is_the_next_one_over_leap_days_and_turns_of_the_year(day, ahead):
    on = day + timedelta(days=ahead)

    assert read(f"The court will rule on {on.day} {on:%B}.", day=day) == on
    assert read(f"Das Gericht entscheidet am {format_date(on, 'd. MMMM', 'de')}.", "de", day) == on
    assert read(f"会议将于{on.month}月{on.day}日举行。", "zh", day) == on


@given(DAYS, st.integers(1, 5))
def test_a_weekday_is_the_next_one(day, ahead):
    on = day + timedelta(days=ahead)

    assert read(f"The court will rule on {on:%A}.", day=day) == on
    assert read(f"The court will rule on {day:%A}.", day=day) is None
    # of a report that came a day late
    assert read(f"The court will rule on {day - timedelta(days=1):%A}.", day=day) is None


@given(DAYS, st.integers(1, 90), st.sampled_from(["The court ruled on {}.", "The law of {} is old."]))
def test_a_date_without_a_word_for_a_plan_is_none(day, ahead, sentence):
    on = day + timedelta(days=ahead)

    assert read(sentence.format(f"{on.day} {on:%B}"), day=day) is None


@given(st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)), st.sampled_from(["DE", "US", "NZ", "QA", None]))
def test_a_relative_date_is_read_only_if_all_days_of_the_report_agree(at, country):
    days = days_of_report(at.replace(tzinfo=UTC), country)

    found = find_date_ahead("The vote is set for tomorrow.", "en", days)

    assert (found is not None) == (len(days) == 1)
    assert all(abs(day - at.date()) <= timedelta(days=1) for day in days)


@pytest.mark.parametrize(("month", "day"), [(3, 29), (10, 25)])
def test_the_day_of_a_report_is_that_of_its_country_when_clocks_change(month, day):
    late, early = (datetime(2026, month, day, hour, 30, tzinfo=UTC) for hour in (23, 10))

    assert days_of_report(early, "DE") == {date(2026, month, day)}
    assert date(2026, month, day) in days_of_report(late, "DE") and len(days_of_report(late, "DE")) == 2


@given(DAYS, st.integers(2, 60))
@example(date(2028, 2, 27), 2)
def test_a_report_a_day_late_keeps_the_dates_that_it_names(day, ahead):
    on = day + timedelta(days=ahead)
    text = f"The court will rule on {on:%A}, {on.day} {on:%B}."

    assert read(text, day=day) == read(text, day=day + timedelta(days=1)) == on
    assert read(text, day=on) is None


@given(DAYS, st.integers(1, 28))
def test_next_month_is_the_month_behind_that_of_the_report_over_turns_of_the_year(day, number):
    following = day.replace(day=1) + timedelta(days=31)
    on = following.replace(day=number)

    assert read(f"회담은 다음 달 {number}일 서울에서 열린다.", "ko", day) == (on if day.day > 1 else None)
    assert read(f"The court will rule in {on:%B}.", day=day) == on.replace(day=1)


@given(
    st.text(alphabet="0123456789.:/- 日月년월時시 MayMärzwill at pm一二", max_size=80),
    st.sampled_from(["en", "de", "zh", "ja", "ko", "he"]),
)
def test_any_text_is_read_without_an_error(text, language):
    found = find_date_ahead(text, language, {SATURDAY})

    assert found is None or (SATURDAY < found.on <= found.until)
