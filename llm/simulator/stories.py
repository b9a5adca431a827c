"""The stories of simulated reports, by language."""

# Sentences whose slots the prompt gives are told, in this order; the first says what the text is.
STORY = {
    "en": (
        "The thief in this story is made up by the GuardLabs provider simulator.",
        "He looks for the door that opens with the least noise.",
        "The first one gives way within an hour, because {finding:1}.",
        "From there he gets to the next, because {finding:2}.",
        "With what he learns on the way the thief reads the mail and finds the accounts that belong together.",
        "Then he takes over one after the other and changes the addresses for their recovery.",
        "In the end the thief moves the coins to a wallet of his own.",
        "All of it takes him an evening and some patience.",
    ),
    "ru": (
        "Вор в этой истории вымышлен симулятором провайдеров GuardLabs.",
        "Он ищет дверь, которая открывается тише всех.",
        "Первая поддаётся ему за час, потому что {finding:1}.",
        "Оттуда он попадает к следующей, потому что {finding:2}.",
        "По дороге вор читает почту и узнаёт, какие аккаунты связаны между собой.",
        "Потом он забирает их один за другим и меняет адреса для восстановления.",
        "Под конец вор переводит монеты на свой кошелёк.",
        "На всё это у него уходит один вечер и немного терпения.",
    ),
    "es": (
        "El ladrón de esta historia sale del simulador de proveedores de GuardLabs.",
        "Él busca la puerta que se abre con menos ruido.",
        "La primera cede ante él en una hora, porque {finding:1}.",
        "Desde ahí él llega a la siguiente, porque {finding:2}.",
        "Por el camino el ladrón lee el correo y descubre qué cuentas van juntas.",
        "Luego él se queda con una tras otra y cambia las direcciones de recuperación.",
        "Al final el ladrón mueve las monedas a una wallet propia.",
        "Todo eso le cuesta una tarde y algo de paciencia.",
    ),
}
# Told where the prompt gives no weakness: the thief tries one thing after the other and moves on.
LONE = {
    "en": (
        *STORY["en"][:2],
        "First he calls the carrier and asks for a new card.",
        "Then he writes to the mailbox under the name of an exchange and waits for a click.",
        "Each evening the thief opens his fake page and finds it empty.",
        "Next he looks for a copy of the words in a cloud.",
        "After some hours the thief closes his laptop and picks another name from his list.",
    ),
    "ru": (
        *STORY["ru"][:2],
        "Сначала вор звонит оператору и просит новую карту.",
        "Потом он пишет на почту от имени биржи и ждёт клика.",
        "Каждый вечер вор открывает свою поддельную страницу и видит на ней пустоту.",
        "Дальше он ищет копию слов в облаке.",
        "Через несколько часов вор закрывает ноутбук и берёт из списка другое имя.",
    ),
    "es": (
        *STORY["es"][:2],
        "Primero el ladrón llama a la operadora y pide una tarjeta nueva.",
        "Luego él escribe al correo en nombre de un exchange y espera un clic.",
        "Cada noche el ladrón abre su página falsa y la encuentra vacía.",
        "Después él busca una copia de las palabras en la nube.",
        "Al cabo de unas horas el ladrón cierra su portátil y elige otro nombre de su lista.",
    ),
}
