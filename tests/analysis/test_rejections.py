"""Claims that other reports of a story reject."""

import pytest

from digests.analysis.rejections import find_rejected_claims
from tests.compose.factories import article, by_id, story


def rejected(*reports) -> list[str]:
    found = find_rejected_claims(story(*reports), by_id(*reports))
    return sorted(each.outlet for each in reports if each.id in found)


def claims(number: int = 3, *, language: str = "en", title: str = "Virus has become much less lethal, doctor says"):
    return [article(f"Claim{n}", f"{title} {n}", language=language, hours=1 + n / 10) for n in range(number)]


@pytest.mark.parametrize(
    ("language", "claim", "titles"),
    [
        (
            "en",
            "Virus has become much less lethal, doctor says",
            ("WHO rejects claim that virus is less lethal", "No evidence that the virus is weaker, experts say"),
        ),
        (
            "en",
            "Virus has become much less lethal, doctor says",
            ("WHO denies that the virus is weaker", "Fact check: is the virus less lethal?"),
        ),
        (
            "de",
            "Virus ist viel schwächer geworden, sagt Arzt",
            ("WHO weist Bericht über schwächeres Virus zurück", "WHO dementiert: Virus nicht schwächer"),
        ),
        (
            "fr",
            "Le virus est devenu moins mortel, dit un médecin",
            ("L'OMS dément un affaiblissement du virus", "Aucune preuve que le virus soit moins mortel"),
        ),
        (
            "es",
            "El virus es mucho más débil, dice un médico",
            ("La OMS desmiente que el virus sea más débil", "No hay evidencia de que el virus pierda fuerza"),
        ),
        (
            "it",
            "Il virus è molto più debole, dice il medico",
            ("L'Oms smentisce: il virus non è più debole", "Nessuna prova che il virus sia meno letale"),
        ),
        (
            "pt",
            "Vírus está mais fraco, diz médico",
            ("OMS desmente que vírus esteja mais fraco", "Não há evidências de que o vírus perdeu força"),
        ),
        (
            "en",
            "Iran strikes carrier with missiles",
            ("US denies Iranian account of strike", "Navy calls reports of a missile strike false"),
        ),
        (
            "ru",
            "Вирус ослаб, заявил врач",
            ("ВОЗ назвала ложью слова о слабом вирусе", "ВОЗ: слова о вирусе не соответствуют действительности"),
        ),
        (
            "ru",
            "Вирус ослаб, заявил врач",
            ("ВОЗ опровергла, что вирус ослаб", "В ВОЗ отрицают, что вирус стал слабее"),
        ),
        ("ar", "الفيروس أصبح أضعف، يقول طبيب", ("الصحة العالمية تنفي أن الفيروس أضعف", "المنظمة نفت ضعف الفيروس")),
        ("zh", "医生称病毒减弱", ("世卫组织否认病毒减弱", "专家辟谣：病毒没有减弱")),
        ("ko", "바이러스 약해졌다, 의사 주장", ("WHO, 바이러스 약화설 부인", "바이러스 약해졌다? 사실무근")),
        ("tr", "Doktor: Virüs zayıfladı", ("DSÖ, virüs zayıfladı haberini yalanladı", "DSÖ virüs iddiasını reddetti")),
        (
            "pl",
            "Wirus jest słabszy: lekarz",
            ("WHO zaprzecza, że wirus jest słabszy", "WHO dementuje: wirus groźny"),
        ),
    ],
)
def test_a_claim_that_several_outlets_reject_in_their_titles_is_not_told_without_that(language, claim, titles):
    rejecting = [article(f"Reject{n}", title, language=language, hours=5 + n) for n, title in enumerate(titles)]

    assert rejected(*claims(language=language, title=claim), *rejecting) == ["Claim0", "Claim1", "Claim2"]


def test_a_denial_of_something_else_in_the_titles_of_a_story_changes_nothing():
    base = [article(f"Base{n}", f"Actor Lee Moor arrested again in New Orleans {n}", hours=n) for n in range(4)]
    titles = ("Lee Moor arrested in New Orleans as he denies a drinking problem", "Actor denies drinking problem")
    denied = [article(f"D{n}", title, hours=5 + n) for n, title in enumerate(titles)]

    assert rejected(*base, *denied) == []


def test_one_outlet_that_rejects_a_claim_changes_nothing():
    assert rejected(*claims(), article("R", "WHO rejects claim that virus is less lethal", hours=5)) == []


@pytest.mark.parametrize(
    "titles",
    [
        ("Senate rejects the budget", "Budget rejected by the Senate"),
        ("Judge denies bail to the driver", "Driver is denied bail"),
        ("Club rejects offer for striker", "Offer for striker rejected"),
    ],
)
def test_what_is_refused_is_no_claim(titles):
    refusing = [article(f"R{n}", title, hours=5 + n) for n, title in enumerate(titles)]

    assert rejected(article("P", "The day in court and parliament", hours=1), *refusing) == []


def test_a_claim_that_outlets_confirm_after_its_denial_is_told():
    denied = [article(f"D{n}", "Iran denies that leader is dead", hours=2 + n) for n in range(2)]
    confirmed = [article(f"C{n}", "State TV confirms leader is dead", hours=5 + n) for n in range(2)]
    late = article("Late", "Iran denies that the leader is dead", hours=9)

    assert rejected(*claims(title="Leader is dead"), *denied, *confirmed, late) == []


def test_what_is_reported_after_the_last_denial_is_told():
    denied = [article(f"D{n}", "Iran denies that leader is dead", hours=2 + n) for n in range(2)]
    later = article("Later", "Leader is dead, three countries say", hours=6)

    assert rejected(*claims(2, title="Leader is dead"), *denied, later) == ["Claim0", "Claim1"]


def test_where_few_outlets_reject_a_claim_only_reports_with_its_words_are_withheld():
    base = [
        article(f"Base{n}", f"Shooting in a Texas bar leaves three dead, {n} hurt", hours=1 + n / 10) for n in range(10)
    ]
    claim = article("Claim0", "Second gunman still on the run after Texas bar shooting", hours=2)
    denied = [article(f"D{n}", "Police deny reports of second gunman in Texas bar", hours=4 + n) for n in range(2)]

    assert rejected(*base, claim, *denied) == ["Claim0"]
