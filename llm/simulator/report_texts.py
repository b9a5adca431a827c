"""The words of simulated answers, by language."""

MARK = {
    "en": "> Simulated report: written by the GuardLabs provider simulator, not by a model.",
    "ru": "> Имитация отчёта: его написал симулятор провайдеров GuardLabs, а не модель.",
    "es": "> Informe simulado: lo ha escrito el simulador de proveedores de GuardLabs, no un modelo.",
}

SHORT = {
    "en": "Simulated answer: the provider simulator received {count} tokens, and no model was asked.",
    "ru": "Имитация ответа: симулятор провайдеров получил {count} токенов, модель никто не спрашивал.",
    "es": "Respuesta simulada: el simulador de proveedores recibió {count} tokens y ningún modelo habló.",
}

# Heading and text of each section. Other headings are used where a prompt asks for them in quotation marks.
SECTIONS = {
    "en": (
        (
            "Where you stand",
            """\
Your answers show a setup that would survive a careless evening, but not a determined attacker. Most of the \
risk comes from two or three habits, not from the tools you own, so it can be fixed in a weekend.
""",
        ),
        (
            "What to fix first",
            """\
1. **Move the recovery phrase off every device.** Delete photos, notes and cloud copies, write the words by \
hand, and stamp them into steel. If a phrase was ever typed or photographed, create a new wallet and move \
the funds.
2. **Replace SMS codes.** Put a hardware key or an authenticator app on your exchange, your e-mail and your \
phone operator's account, in that order.
3. **Check what you sign.** Read the address, the token and the amount on the screen of the hardware wallet, \
and refuse anything it cannot show in plain words.
""",
        ),
        (
            "Your plan for this week",
            """\
- Today: revoke old approvals with Revoke.cash and close the wallets you no longer use.
- Tomorrow: send a small test transfer before any large one, and compare the whole address.
- By Sunday: restore the backup on a spare device once, so that you know it works.
""",
        ),
        (
            "How to keep it that way",
            """\
Repeat this audit every six months and after each change of phone, computer or home address. Nobody who is \
honest will ever ask you for the recovery phrase.
""",
        ),
    ),
    "ru": (
        (
            "Где ты сейчас",
            """\
Судя по ответам, твоя защита переживёт вечер по невнимательности, но не упорного злоумышленника. Почти весь \
риск дают две-три привычки, а не устройства, поэтому исправить его можно за выходные.
""",
        ),
        (
            "Что исправить в первую очередь",
            """\
1. **Убери сид-фразу со всех устройств.** Удали фото, заметки и копии в облаке, запиши слова от руки и выбей \
их на стальной пластине. Если фразу хоть раз печатали или снимали, создай новый кошелёк и переведи средства.
2. **Откажись от кодов по SMS.** Поставь аппаратный ключ или приложение с кодами на биржу, почту и личный \
кабинет оператора, именно в таком порядке.
3. **Проверяй, что подписываешь.** Сверяй адрес, токен и сумму на экране аппаратного кошелька и отклоняй \
всё, что он не может показать понятными словами.
""",
        ),
        (
            "План на эту неделю",
            """\
- Сегодня: отзови старые разрешения через Revoke.cash и закрой кошельки, которыми не пользуешься.
- Завтра: перед крупным переводом отправь пробный и сравни адрес целиком.
- До воскресенья: один раз восстанови резервную копию на запасном устройстве, чтобы знать, что она работает.
""",
        ),
        (
            "Как это сохранить",
            """\
Повторяй проверку раз в полгода и после смены телефона, компьютера или адреса. Ни один честный человек \
никогда не попросит у тебя сид-фразу.
""",
        ),
    ),
    "es": (
        (
            "Dónde estás ahora",
            """\
Según tus respuestas, tu protección aguanta un descuido, pero no a un atacante decidido. Casi todo el riesgo \
viene de dos o tres costumbres y no de tus dispositivos, así que puedes corregirlo en un fin de semana.
""",
        ),
        (
            "Qué corregir primero",
            """\
1. **Saca la frase de recuperación de todos tus dispositivos.** Borra fotos, notas y copias en la nube, \
escribe las palabras a mano y grábalas en acero. Si alguna vez la tecleaste o la fotografiaste, crea una \
cartera nueva y mueve los fondos.
2. **Deja los códigos por SMS.** Pon una llave física o una aplicación de códigos en tu exchange, tu correo \
y la cuenta de tu operador, en ese orden.
3. **Comprueba lo que firmas.** Lee la dirección, el token y el importe en la pantalla de la cartera física \
y rechaza lo que no pueda mostrarte con palabras claras.
""",
        ),
        (
            "Tu plan para esta semana",
            """\
- Hoy: revoca los permisos antiguos con Revoke.cash y cierra las carteras que ya no usas.
- Mañana: haz una transferencia de prueba antes de una grande y compara la dirección completa.
- Antes del domingo: restaura una vez la copia en otro dispositivo, para saber que funciona.
""",
        ),
        (
            "Cómo mantenerlo así",
            """\
Repite esta revisión cada seis meses y siempre que cambies de teléfono, de ordenador o de casa. Nadie \
honrado te pedirá nunca la frase de recuperación.
""",
        ),
    ),
}

CASES = {
    "en": (
        "It has happened to others:",
        (
            "The same gap was used in {id}: the loss began with one habit that looked harmless.",
            "In {id} the victims noticed it only when the coins had gone.",
            "{id} shows that experienced people fall for it, too.",
            "After {id}, nothing could be reversed: only the preparation before it would have helped.",
        ),
    ),
    "ru": (
        "Это уже случалось с другими:",
        (
            "Так же вышло в случае {id}: всё началось с привычки, которая казалась безобидной.",
            "В случае {id} пострадавшие заметили взлом, только когда монеты уже ушли.",
            "{id} показывает, что на это попадаются и опытные люди.",
            "После {id} вернуть ничего не удалось: помогла бы только подготовка заранее.",
        ),
    ),
    "es": (
        "Ya les ha pasado a otros:",
        (
            "Lo mismo pasó en {id}: la pérdida empezó con una costumbre que parecía inofensiva.",
            "En {id} las víctimas se dieron cuenta cuando las monedas ya no estaban.",
            "{id} demuestra que también cae gente con experiencia.",
            "Después de {id} no se pudo revertir nada: solo habría servido prepararse antes.",
        ),
    ),
}
