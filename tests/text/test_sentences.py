"""Sentences."""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watcher.text.sentences import sentences


def split(text: str, language: str = "en") -> list[str]:
    return [text[start:end] for start, end in sentences(text, language)]


@pytest.mark.parametrize(
    ("language", "parts"),
    [
        ("en", ["Mr. Hale met Dr. J. K. Ames at 5 p.m. Monday.", "They spoke for an hour."]),
        ("en", ["The U.S. Senate voted 52-48.", "It was late.", "Is it over?", "Not yet!"]),
        ("en", ["The firm moved to the U.S. in 2020.", "No. 10 said 3.5 million came."]),
        ("en", ['"We left. It was cold," she said.', "The road was shut."]),
        ("en", ["“Wait!” he called.", "Nobody did."]),
        ("en", ["It ended at noon.”", "“We go on.”"]),
        ("en", ["He lives in Washington, D.C.", "The house is small."]),
        ("de", ["Am 3. Mai kam Dr. Huber, z. B. mit dem Zug.", "Er blieb bis zum 12. Juni."]),
        ("de", ["„Wir gehen. Morgen“, sagte sie.", "Der Rat tagt."]),
        ("fr", ["M. Petit a parlé à 10 h.", "« C’est fini », a-t-il dit."]),
        ("es", ["EE.UU. y el Sr. Ruiz firmaron.", "¿Cuándo?", "Nadie lo sabe."]),
        ("ru", ["В 2020 г. Москва, т.е. столица, выросла.", "Это 5 млн. человек."]),
        ("ja", ["東京で会議が開かれた。", "首相は「行く。必ず行く。」と述べた。", "会議は続く。"]),
        ("zh", ["会议在北京举行。", "他说:“很好!”", "结果如何？", "没有人知道。"]),
        ("ar", ["وصل الوزير أمس.", "هل يعود غدا؟", "قال د. سامي إنه سيعود."]),
        ("hi", ["बैठक कल हुई।", "डॉ. शर्मा भी आए।", "क्या हुआ?"]),
        ("ur", ["اجلاس کل ہوا۔", "وزیر بھی آئے۔"]),
        ("ur", ["علی نے کہا، ’ہم تیار ہیں۔‘", "پیسے کون دے گا؟", "کسی کو نہیں معلوم!"]),
        ("hi", ["कीमत 3.5 करोड़ रु. है।", "लोग खुश हैं!"]),
        ("bn", ["ডা. রহমান বলেন, ‘আমরা প্রস্তুত।’", "কিন্তু টাকা কে দেবে?"]),
        ("ne", ["सरकारले नयाँ पुल घोषणा गर्‍यो ।", "पैसा कसले तिर्छ ?"]),
        ("fa", ["شهردار گفت: «ما آماده‌ایم.»", "چه کسی پول می‌دهد؟"]),
        ("he", ['המחיר: 3.5 מיליון ש"ח.', "מי ישלם?", "איש אינו יודע!"]),
        ("am", ["ሕዝቡ ተቀበለው።", "ማን ይከፍላል፧", "ማንም አያውቅም።"]),
        ("my", ["လူထုက ကြိုဆိုသည်။", "ဘယ်သူပေးမလဲ။"]),
        ("ko", ["회의가 열렸다.", "장관은 떠났다."]),
        ("el", ["Πότε φεύγεις;", "Κανείς δεν ξέρει."]),
        ("hy", ["Նա եկավ։", "Նա գնաց։"]),
    ],
)
def test_sentences_are_found(language: str, parts: list[str]) -> None:
    joiner = "" if language in {"ja", "zh"} else " "

    found = split(joiner.join(parts), language)

    assert found == parts


def test_a_sentence_never_crosses_a_line() -> None:
    assert split("A heading\nThe first. The second\nLast.") == ["A heading", "The first.", "The second", "Last."]


def test_thai_is_split_at_spaces_once_it_is_long() -> None:
    clause = "รัฐมนตรีกล่าวว่าการประชุมจะมีขึ้นในวันพรุ่งนี้ที่กรุงเทพมหานครและจะมีผู้แทนจากหลายประเทศเข้าร่วมประชุมด้วย"

    assert split(f"{clause} {clause}", "th") == [clause, clause]
    assert split("เขา มา แล้ว", "th") == ["เขา มา แล้ว"]


def test_an_unclosed_quotation_splits_as_if_it_were_not_there() -> None:
    assert split('He said "go. They went. Nobody came.') == ['He said "go.', "They went.", "Nobody came."]


@given(st.text(alphabet='aA1.!?\n "“”。」「)( ก;', max_size=80), st.sampled_from(["en", "de", "ja", "th", "und"]))
def test_offsets_are_in_order_and_lose_nothing_but_space(text: str, language: str) -> None:
    spans = list(sentences(text, language))

    assert all(text[a:b] == text[a:b].strip() and "\n" not in text[a:b] and a < b for a, b in spans)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))
    assert "".join("".join(text[a:b] for a, b in spans).split()) == "".join(text.split())


@pytest.mark.slow
def test_a_long_line_is_split_in_little_time() -> None:
    text = '"(“' * 20_000 + "End. " * 20_000

    assert len(list(sentences(text, "en"))) > 1000


@pytest.mark.slow
@pytest.mark.parametrize("language", ["en", "de", "th"])
@pytest.mark.parametrize(
    "piece",
    [".", ". ", '."', '."x', "!", "!?", "!あ", "。", "“", '" ', "(", ".[1]", ".  - ", "A. ", "z. B. ", "U.S. ", "ก   "],
)
def test_hostile_text_costs_linear_time(piece: str, language: str) -> None:
    text = (piece * 100_000)[:100_000] + "x"
    before = time.process_time()

    assert list(sentences(text, language))

    assert time.process_time() - before < 1.5  # the slowest takes a tenth of that; a run of stops took minutes
