"""Reports as models write them: good ones and the ways in which they go wrong."""

EN = """## Where you stand

You have done part of the work already, and your answers show where the gaps are. None of them needs an expert: what
is left can be done in a few evenings, one step at a time. The riskiest habit is that your seed phrase is stored where
other programs can read it [lastpass-larsen-2024], and a link decides where you log in [inferno-drainer-reloaded-2025].

## What to fix first

1. Create a new seed on a Trezor Safe 3 and write it down by hand.
2. Move the coins there, a small test amount first, and only then delete the old entry.

## What comes next

Put a date in your calendar, and go through the list once more when you buy a new phone.
"""

RU = """## Что у тебя сейчас

Часть работы уже сделана, и твои ответы показывают, где остались дыры. Для них не нужен эксперт: всё можно закрыть за
несколько вечеров, шаг за шагом. Самая опасная привычка: сид-фраза лежит там, где её читают другие программы
[lastpass-larsen-2024], а ссылка решает, куда ты войдёшь [inferno-drainer-reloaded-2025].

## Что исправить первым

1. Создай новый сид на Trezor Safe 3 и запиши его от руки.
2. Переведи монеты туда, сначала маленькую сумму, и только потом удаляй старую запись из Bitwarden или 1Password.

## Что дальше

Поставь дату в календаре и пройди список ещё раз, когда купишь новый телефон. Проверь апрувы на Revoke.cash.
"""

ES = """## Cómo estás hoy

Ya has hecho una parte del trabajo y tus respuestas muestran dónde quedan huecos. No hace falta un experto: lo que
falta se puede hacer en unas pocas tardes, paso a paso. El hábito más peligroso es que tu frase semilla está donde
otros programas la pueden leer [lastpass-larsen-2024], y un enlace decide dónde inicias sesión
[inferno-drainer-reloaded-2025].

## Qué corregir primero

1. Crea una frase nueva en una Trezor Safe 3 y escríbela a mano.
2. Mueve las monedas con una pequeña prueba antes y solo después borra la entrada vieja.

## Qué viene después

Pon una fecha en tu calendario y repasa la lista otra vez cuando compres un teléfono nuevo.
"""

PT = """## Onde você está

Você já fez uma parte do trabalho e as suas respostas mostram onde ainda há falhas. Não é preciso um especialista: o
que falta pode ser feito em poucas noites, um passo de cada vez. O hábito mais perigoso é que a sua frase semente está
onde outros programas podem ler, e isso também vale para a cópia na nuvem que você fez com o telefone.

## O que corrigir primeiro

Crie uma frase nova em uma carteira física e escreva à mão. Depois mova as moedas e só então apague a cópia antiga.
"""

FR = """## Où vous en êtes

Vous avez déjà fait une partie du travail, et vos réponses montrent où sont les failles. Pas besoin d'un expert : ce
qui reste peut être fait en quelques soirées, une étape à la fois. L'habitude la plus dangereuse est que votre phrase
de récupération se trouve là où d'autres programmes peuvent la lire, et cela vaut aussi pour la copie dans le nuage.

## À corriger d'abord

Créez une nouvelle phrase sur un portefeuille matériel, puis déplacez les fonds avec une petite somme pour tester.
"""

UK = """## Де ти зараз

Частину роботи вже зроблено, і твої відповіді показують, де лишилися діри. Для них не потрібен експерт: усе можна
закрити за кілька вечорів, крок за кроком. Найнебезпечніша звичка: сід-фраза лежить там, де її читають інші програми,
і їхні автори можуть її побачити. Створи новий гаманець і перенеси туди монети, спершу невелику суму.

## Що далі

Постав дату в календарі й пройди список ще раз, коли купиш новий телефон. Перевір дозволи своїх застосунків.
"""

ZH = "你的答案显示了哪里还有漏洞。剩下的工作可以在几个晚上一步一步完成。" * 16
