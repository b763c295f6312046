"""Which sentences can stand alone, and where a sentence begins."""

import pytest

from digests.summarise.readable import _starts_with_reference, stands_alone


@pytest.mark.parametrize(
    "text",
    [
        "Buying through us may earn us a commission, which supports our work.",
        "The post below has affiliate links, from which the paper earns its living.",
        "FILE PHOTO: The bridge over the river Aar in Bern is seen before it was closed.",
    ],
)
def test_a_word_on_commissions_or_a_caption_is_furniture(text):
    assert not stands_alone(text, "en")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "As the search in the river goes on, DW's Anna Meier has the details."),
        ("en", "Our correspondent Anna Meier reports on the search for five missing people."),
        ("en", "Scroll down for the full list of the bridges that are closed this week."),
        ("en", "Divers searched the river for five people on Monday. Continue reading..."),
        ("en", "The bridge over the river Aar was closed on Monday after cracks were [...]."),
        ("en", "Smoke over the bridge on Monday (Anna Keller/AFP) Off Five people are missing, the police said."),
        ("pt", "A ponte sobre o rio foi fechada na segunda-feira apÃ³s a descoberta de rachaduras."),
        ("de", "Unsere Korrespondentin Anna Meier berichtet aus Bern über die Suche."),
        ("fr", "Notre correspondante à Berne raconte les recherches dans la rivière."),
        ("es", "Nuestro enviado especial cuenta desde Berna la búsqueda en el río."),
        ("ru", "О поисках в реке рассказывает из Берна наш корреспондент Анна Мейер."),
        ("ar", "مراسلتنا في برن تروي تفاصيل البحث عن خمسة مفقودين في النهر."),
    ],
)
def test_a_handover_a_cut_end_and_a_wrong_encoding_are_not_quoted(language, text):
    assert not stands_alone(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "He added that the bridge would stay closed for a year."),
        ("en", "However, the bridge will stay closed for a year."),
        ("en", "Despite these concerns, the bridge was opened on Friday."),
        ("de", "Sie sagte, die Brücke bleibe ein Jahr lang gesperrt."),
        ("en", "Regardless, the bridge will stay closed for a year."),
        ("en", "Separately, the canton said that the bridge would stay closed for a year."),
        ("de", "Derweil bleibt die Brücke über die Aare ein Jahr lang gesperrt."),
        ("fr", "Séparément, le canton a annoncé que le pont restera fermé pendant un an."),
        ("en", "“The bridge will stay closed for a year, I am afraid,” he snaps."),
        ("en", '"Who could have known about the bridge?" she told reporters on Monday.'),
        ("de", "„Die Brücke bleibt ein Jahr lang gesperrt“, sagte er am Montag in Bern."),
        ("fr", "« Le pont restera fermé pendant un an », a-t-elle déclaré lundi."),
        ("es", "«El puente permanecerá cerrado durante un año», dijo."),
        ("ru", "«Мост будет закрыт на год», — сказал он журналистам."),
        ("fr", "Elle a ajouté que le pont resterait fermé pendant un an."),
        ("fr", "C’est la première fois que le pont est fermé."),
        ("fr", "Décidément, fermer le pont est devenu le jeu préféré de la ville."),
        ("de", "Immerhin bleibt die Brücke nur ein Jahr lang gesperrt."),
        ("en", "Indeed, the bridge stays closed for a year."),
        ("it", "Insomma, il ponte resterà chiuso per un anno."),
        ("uk", "До речі, міст буде закрито на рік."),
        ("es", "Además, el puente permanecerá cerrado durante un año."),
        ("ru", "Он добавил, что мост будет закрыт на год."),
        ("zh", "他表示，这座大桥将关闭一年，以便工程师检查。"),
        ("ja", "また、橋は1年間閉鎖される見通しだと発表した。"),
        ("ko", "그는 다리가 1년 동안 폐쇄될 것이라고 말했다."),
    ],
)
def test_a_sentence_that_points_back_is_loose(language, text):
    assert _starts_with_reference(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "This week the bridge over the Aar was closed after cracks were found."),
        ("en", "“The bridge will stay closed for a year,” the mayor said as he left the site."),
        ("en", '"Aar Bridge" reopens after a year of repairs that cost three million francs.'),
        ("de", "„Die Brücke bleibt ein Jahr lang gesperrt“, sagte Ministerin Keller in Bern."),
        ("fr", "« Le pont restera fermé pendant un an », a déclaré la maire de Berne."),
        ("fr", "Ce mardi, le pont sur l’Aar a été fermé après la découverte de fissures."),
        ("de", "Die Brücke über die Aare bleibt ein Jahr lang gesperrt."),
        ("nl", "Het kabinet wil de brug over de rivier volgend jaar vervangen."),
        ("en", "There’s a dispute in Bern over the bridge that was closed after cracks were found."),
        ("ar", "ثمّن رئيس بلدية برن جهود المهندسين الذين أصلحوا الجسر فوق نهر الآرة."),
        ("hu", "Az ukrán elnök hétfőn megnyitotta a hidat a Dnyeperen."),
        ("ja", "スイスのベルンで月曜日、アーレ川に架かる橋が崩落し、12人が死亡した。"),
    ],
)
def test_a_sentence_with_its_own_subject_stands_alone(language, text):
    assert not _starts_with_reference(text, language)
    assert stands_alone(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Many years ago, when I first crossed the bridge over the Aar, it felt new."),
        ("en", "Yes, I mean that the bridge over the Aar will stay closed for a year."),
        ("en", "Get more details on the bridge, including traffic, tolls and all the closures."),
        ("en", "In Bern, our reporter saw how the bridge over the Aar was closed on Monday."),
        ("de", "Im Blog können Sie alles Wichtige zu der Brücke über die Aare nochmal nachlesen."),
        ("fr", "Le pont restera fermé pendant un an, et nous en avons parlé avec le maire."),
        ("es", "«El puente permanecerá cerrado durante un año», explicó ante los medios."),
        ("en", "“The bridge will stay closed for a year,” it added."),
        ("en", "To be sure, the canton of Bern does not want to close the bridge for a year."),
        ("de", "Zwar will der Kanton Bern die Brücke über die Aare nicht lange schließen."),
    ],
)
def test_a_sentence_of_the_writer_or_to_the_reader_never_stands_alone(language, text):
    assert not stands_alone(text, language)


@pytest.mark.parametrize(
    "text",
    [
        "The bridge was built by the canton after World War I, and was widened in 1968.",
        "“The crash was loud, and I ran out to our bridge,” the baker Rosa Keller told reporters.",
        "“El puente permanecerá cerrado”, dijo el ministro ante los medios en Berna el lunes.",
    ],
)
def test_a_quoted_person_may_say_i(text):
    assert stands_alone(text, "es" if "puente" in text else "en")


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The harbour master Anna Moreau (pictured), has apologised for the closure of the bridge in Eastport."),
        (
            "en",
            "Anna Moreau (pictured with her husband in 2019) was held for two nights at a police station in Eastport.",
        ),
        ("en", "Anna Moreau, pictured above, was held for two nights at a police station in Eastport on Monday."),
        ("en", "Anna Moreau (left) and Jan Lind signed the agreement on the harbour of Eastport on Monday evening."),
        (
            "de",
            "Anna Moreau (links) und Jan Lind haben am Montag den Vertrag über den Hafen von Oststadt unterschrieben.",
        ),
        ("fr", "Anna Moreau (à gauche) et Jan Lind ont signé lundi soir un accord sur le port de la ville d'Estville."),
        ("es", "Anna Moreau (en la foto) firmó el lunes por la noche el acuerdo sobre el puerto de la ciudad de Este."),
        ("pl", "Anna Moreau (na zdjęciu) podpisała w poniedziałek wieczorem umowę w sprawie portu w mieście Wschód."),
        ("ru", "Анна Моро (на фото) подписала в понедельник вечером соглашение о порте города Восточный."),
        ("ar", "وقعت آنا مورو (في الصورة) مساء الاثنين اتفاقا بشأن ميناء المدينة الشرقية بعد محادثات طويلة."),
        ("ja", "港湾局のアンナ・モロー局長（写真）は月曜日の夜、東港の橋を閉鎖したことについて謝罪し、説明を行った。"),
    ],
)
def test_a_sentence_that_points_to_a_picture_is_not_quoted(language, text):
    assert not stands_alone(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "The company, which has pictured the bridge on its coins, was fined by a court in Eastport on Monday."),
        ("en", "Anna Moreau (Left Party) and Jan Lind signed the agreement on the harbour of Eastport on Monday."),
        ("de", "Anna Moreau (Die Linke) und Jan Lind haben am Montag den Vertrag über den Hafen unterschrieben."),
    ],
)
def test_a_party_or_a_verb_is_no_picture(language, text):
    assert stands_alone(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Anna Moreau, who opened the bridge over the river Aar in Bern."),
        ("en", "Anna Moreau, who, along with Eva Lind, opened the bridge in Bern."),
        ("de", "Eine Ingenieurin, die im Jahr 1968 die Brücke über die Aare baute."),
        ("fr", "Anna Moreau, qui a inauguré lundi le pont sur la rivière à Berne."),
        ("es", "Ana Moreau, que inauguró el lunes el puente sobre el río en Berna."),
        ("ru", "Анна Моро, которая открыла в понедельник мост через реку в Берне."),
        ("en", "Smoke rises following a blast on the bridge over the river Aar in Bern."),
        ("en", "Cars burn near the bridge in Bern in this still image taken from video."),
        ("en", "A look back at all that happened on the bridge over the river Aar."),
        ("en", "A general view of the bridge over the river Aar in the city of Bern."),
        ("de", "Die Brücke über die Aare ist auf diesem undatierten Foto zu sehen."),
        ("fr", "Sur cette photo, le pont sur la rivière est fermé aux voitures."),
        ("ru", "На этом снимке мост через реку в Берне закрыт для автомобилей."),
    ],
)
def test_a_caption_is_not_quoted(language, text):
    assert not stands_alone(text, language)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Anna Moreau, who opened the bridge over the river Aar in Bern, died on Monday."),
        ("en", "Anna Moreau, who opened the bridge in Bern, died, her office said."),
        ("en", "A fresh look at the bridge over the river Aar has revealed cracks in its pillars."),
        ("en", "Smoke rose from the bridge over the river Aar in Bern after a blast on Monday."),
        ("de", "Anna Moreau, die die Brücke in Bern baute, ist am Montag gestorben."),
        ("ru", "Альбом «Дом, который построил Алик» записан вместе с другими рэперами."),
    ],
)
def test_a_sentence_with_a_relative_clause_or_a_look_stands_alone(language, text):
    assert stands_alone(text, language)
