"""The question bank: 12 questions, their answers and what to do about each weak one.

English texts are gettext message ids: every one is a plain literal inside ``_()`` so that
makemessages finds it. Ids, values, weights and risks are language-independent and belong to
``BANK_VERSION``: change one and the version changes with it. How points and caps follow from
them is decided in ``scoring.py``; the cases behind each weakness are in ``bank_incidents.py``.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _

BANK_VERSION = "2026-12"


@dataclass(frozen=True, slots=True, kw_only=True)
class StandardData:
    """A public guideline that a question follows."""

    name: str
    url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionData:
    """One answer. ``risk`` is 0 (best) to 10; ``na`` means the question does not apply.

    Every answer with a risk says what can happen (``harm``), how to fix it, in safe order
    (``fix_steps``), with which products or free means (``tools``), and in about how many ``minutes``.
    ``title`` names the weakness, ``action`` what to do about it, as a heading. The ``title`` of an answer without
    risk names the strength, for the part of a report that says what to keep.
    """

    value: str
    label: str
    risk: int
    na: bool = False
    title: str = ""
    action: str = ""
    harm: str = ""
    fix_steps: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    minutes: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionData:
    """One question; the weights of all questions sum to 100.

    ``options`` are listed from the least to the most risk, for readers of this file. Shown in that order they would
    give the answer away, so people see them as ``shown`` lists them: mixed, "does not apply" last. ``hint`` is what
    the question needs besides its own sentence.
    """

    id: str
    category: str
    weight: int
    text: str
    why: str
    standards: tuple[StandardData, ...]
    options: tuple[OptionData, ...]
    shown: tuple[str, ...]
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentData:
    """One documented case.

    ``date`` is as exact as the sources: "2024", "2024-05" or "2024-05-03". ``loss_usd`` is the value
    at the time of the theft, None when it is unknown or not a loss. ``weaknesses`` are the answers
    that it would have hit, as "question.option". ``confirmed`` is False when no source states both
    what was lost and when; ``note`` says what a reader must know about the figures.
    """

    slug: str
    name: str
    date: str
    victims: str
    loss_usd: int | None
    vector: str
    what_happened: str
    lesson: str
    weaknesses: tuple[str, ...]
    sources: tuple[str, ...]
    confirmed: bool
    note: str = ""


_SEAL = "https://github.com/security-alliance/frameworks/blob/main/docs/pages/"

SEAL_SEED = StandardData(
    name="SEAL Frameworks: Seed Phrase Management",
    url=_SEAL + "wallet-security/seed-phrase-management.mdx",
)
SEAL_MEDIUM = StandardData(
    name="SEAL Frameworks: Intermediates and Medium Funds",
    url=_SEAL + "wallet-security/intermediates-and-medium-funds.mdx",
)
SEAL_BEGINNERS = StandardData(
    name="SEAL Frameworks: Beginners and Small Balances",
    url=_SEAL + "wallet-security/for-beginners-and-small-balances.mdx",
)
SEAL_COLD_HOT = StandardData(
    name="SEAL Frameworks: Cold vs Hot Wallet",
    url=_SEAL + "wallet-security/cold-vs-hot-wallet.mdx",
)
SEAL_CONTRACTS = StandardData(
    name="SEAL Frameworks: Smart Contract Interaction Security",
    url=_SEAL + "wallet-security/smart-contract-interaction-security.mdx",
)
SEAL_SIGNING = StandardData(
    name="SEAL Frameworks: Signing and Verification",
    url=_SEAL + "wallet-security/signing-and-verification/signing-verification.mdx",
)
SEAL_MFA = StandardData(
    name="SEAL Frameworks: Multi-Factor Authentication",
    url=_SEAL + "opsec/mfa/overview.mdx",
)
SEAL_SIM = StandardData(
    name="SEAL Frameworks: SIM Swapping",
    url=_SEAL + "opsec/old/digital-identity-access/sim-swapping.mdx",
)
SEAL_ENDPOINT = StandardData(
    name="SEAL Frameworks: Endpoint Security",
    url=_SEAL + "opsec/endpoint/overview.mdx",
)
SEAL_SOCIAL = StandardData(
    name="SEAL Frameworks: Social Engineering Defense",
    url=_SEAL + "opsec/old/human-centered-security/social-engineering-defense.mdx",
)
SEAL_OPSEC = StandardData(
    name="SEAL Frameworks: Personal OpSec",
    url=_SEAL + "opsec/old/human-centered-security/personal-opsec.mdx",
)
CCSS = StandardData(
    name="CryptoCurrency Security Standard (CCSS)",
    url="https://github.com/CryptoConsortium/CCSS",
)
ETHEREUM_ORG = StandardData(
    name="ethereum.org: Security and scam prevention",
    url="https://ethereum.org/en/security/",
)
NIST_63B = StandardData(
    name="NIST SP 800-63B-4: Authentication",
    url="https://github.com/usnistgov/800-63-4",
)
LISSY = StandardData(
    name="Personal Security Checklist (Lissy93)",
    url="https://github.com/Lissy93/personal-security-checklist",
)
REVOKE = StandardData(
    name="Revoke.cash",
    url="https://github.com/RevokeCash/revoke.cash",
)
LOPP = StandardData(
    name="Known physical attacks (J. Lopp)",
    url="https://github.com/jlopp/physical-bitcoin-attacks",
)

CATEGORIES: dict[str, str] = {
    "wallet": _("Wallets and keys"),
    "twofa": _("Accounts and sign-in"),
    "defi": _("DeFi and transactions"),
    "operational": _("Devices, scams and planning"),
}

QUESTIONS: tuple[QuestionData, ...] = (
    QuestionData(
        id="seed_storage",
        category="wallet",
        weight=14,
        text=_("Where do you keep your main seed phrase?"),
        hint=_("If there are several copies, pick the least protected one."),
        why=_("Whoever reads these words owns the coins, with no PIN, no device and no reset."),
        standards=(SEAL_SEED, CCSS, ETHEREUM_ORG),
        shown=(
            "paper_home",
            "paper_safe",
            "cloud_notes",
            "photo_device",
            "metal",
            "password_manager",
            "no_seed",
        ),
        options=(
            OptionData(
                value="metal",
                label=_("Stamped or engraved on metal, kept offline, never photographed"),
                title=_("Words on metal, never photographed"),
                risk=0,
            ),
            OptionData(
                value="paper_safe",
                label=_("On paper in a safe, bank box or another locked place"),
                risk=2,
                title=_("Paper backup in one locked place"),
                action=_("Put the words on metal, with a copy in another building"),
                harm=_("Fire, water or age can make the paper unreadable by the time you need it."),
                fix_steps=(
                    _("Copy the words to a metal plate yourself, offline and alone."),
                    _("Keep one sealed copy in a second building, such as a bank box."),
                    _("Keep the PIN and any passphrase somewhere else."),
                ),
                tools=(
                    "Cryptosteel Capsule",
                    "Trezor Keep Metal",
                    _("steel washers and letter punches"),
                    _("tamper-evident bags"),
                ),
                minutes=60,
            ),
            OptionData(
                value="paper_home",
                label=_("On paper at home, in a drawer, notebook or book"),
                risk=4,
                title=_("Unprotected paper at home"),
                action=_("Lock the paper away from fire and guests"),
                harm=_(
                    "A fire, a burst pipe, a guest or a burglar can take the sheet, and with it your coins "
                    "or your access to them."
                ),
                fix_steps=(
                    _("Move the paper to a lockable, fire-resistant place today."),
                    _("Copy the words to a metal plate yourself, offline and alone."),
                    _("Put a second, sealed copy in another building."),
                ),
                tools=(
                    "Cryptosteel Capsule",
                    "Trezor Keep Metal",
                    _("steel washers and letter punches"),
                    _("fire-resistant document bag"),
                ),
                minutes=45,
            ),
            OptionData(
                value="password_manager",
                label=_("In a password manager or an encrypted file"),
                risk=6,
                title=_("Seed phrase inside a vault that can be copied"),
                action=_("Make a new seed phrase that is in no vault and no file"),
                harm=_(
                    "A stolen vault or file can be attacked offline for years, and once it opens the coins "
                    "are gone."
                ),
                fix_steps=(
                    _("Create a new seed on a hardware wallet and write it down by hand, offline."),
                    _("Move all coins and tokens to the new wallet, a small test amount first."),
                    _("Only then delete the old entry, its history, exports and backups."),
                ),
                tools=("Trezor Safe 3", "Ledger", "BitBox02", _("Coldcard (Bitcoin only)")),
                minutes=90,
            ),
            OptionData(
                value="photo_device",
                label=_("As a photo, screenshot or plain file on my phone or computer"),
                risk=9,
                title=_("Seed phrase readable by apps on the device"),
                action=_("Move to a new seed phrase, written by hand only"),
                harm=_(
                    "Any app or person with access to your photos or files can read the words and empty the "
                    "wallet."
                ),
                fix_steps=(
                    _(
                        "Create a new seed and write it by hand, best on a hardware wallet; a fresh wallet "
                        "on a clean phone will do for now."
                    ),
                    _("Move all coins and tokens to the new wallet before anything else."),
                    _("Then delete the photo or file, the trash folder and any cloud copy."),
                ),
                tools=("Trezor Safe 3", "Ledger", "BitBox02", _("a fresh wallet app on a clean phone")),
                minutes=90,
            ),
            OptionData(
                value="cloud_notes",
                label=_(
                    "In iCloud, Google Drive, notes, email or a chat with myself; or a copy may have synced "
                    "there"
                ),
                risk=10,
                title=_("Seed phrase stored in the cloud"),
                action=_("Move to a new seed phrase that was never in a cloud"),
                harm=_(
                    "Anyone who gets into that account or one of its synced devices can copy the words "
                    "without you noticing."
                ),
                fix_steps=(
                    _(
                        "Create a new seed today and write it by hand, best on a hardware wallet; a fresh "
                        "wallet on a clean phone will do for now."
                    ),
                    _("Move all coins and tokens to the new wallet, on every chain."),
                    _("Then delete every copy: drafts, chats, trash folders and synced backups."),
                    _("Sign unknown devices out of the email and cloud accounts and add a passkey."),
                ),
                tools=("Trezor Safe 3", "Ledger", "Google Security Checkup", _("Apple Account device list")),
                minutes=90,
            ),
            OptionData(
                value="no_seed",
                label=_("I have no seed phrase: an exchange or broker holds everything"),
                risk=0,
                na=True,
            ),
        ),
    ),
    QuestionData(
        id="seed_backup",
        category="wallet",
        weight=7,
        text=_(
            "The place with your main backup burns down tonight, with everything in it. What happens to your "
            "crypto?"
        ),
        why=_("Fire, a house move or a forgotten passphrase can end your access as surely as a thief."),
        standards=(SEAL_SEED, CCSS),
        shown=(
            "two_sites_untested",
            "two_sites_tested",
            "no_backup",
            "passphrase_memory",
            "single_copy",
            "no_seed",
        ),
        options=(
            OptionData(
                value="two_sites_tested",
                label=_("Nothing: I have backups in two places and have tested a full restore"),
                title=_("Backups in two places and a tested restore"),
                risk=0,
            ),
            OptionData(
                value="two_sites_untested",
                label=_("Probably nothing: I have backups in two places but never tested a restore"),
                risk=2,
                title=_("Backup never tested"),
                action=_("Test that your backup really restores"),
                harm=_(
                    "A wrong or missing word shows only when you need the backup, and then nobody can help."
                ),
                fix_steps=(
                    _(
                        "Run your wallet's backup check, or restore on a spare device; do not reset your "
                        "only working one for this."
                    ),
                    _(
                        "Enter the words only on the device, then compare the first receive address with the "
                        "original."
                    ),
                    _("Repeat once a year and after every move."),
                ),
                tools=(
                    _("Trezor Suite backup check"),
                    "Ledger Recovery Check",
                    _("BitBoxApp backup check"),
                    _("a spare device"),
                ),
                minutes=30,
            ),
            OptionData(
                value="passphrase_memory",
                label=_("It depends on my memory: my passphrase (25th word) is written nowhere"),
                risk=6,
                title=_("Passphrase kept in one memory"),
                action=_("Write the passphrase down, apart from the seed"),
                harm=_(
                    "If you forget one character or cannot act, the coins stay locked even with all the seed "
                    "words at hand."
                ),
                fix_steps=(
                    _("Write the passphrase on its own card or metal plate, with exact capitals and spaces."),
                    _(
                        "Check it: open the wallet by reading from the card and compare the first receive "
                        "address."
                    ),
                    _("Store the card sealed, apart from the seed."),
                ),
                tools=(
                    "Cryptosteel Capsule",
                    "Trezor Keep Metal",
                    _("pen, card and a tamper-evident envelope"),
                ),
                minutes=40,
            ),
            OptionData(
                value="single_copy",
                label=_("Gone, or hanging on one device: there is one copy in one place"),
                risk=7,
                title=_("One copy, one place"),
                action=_("Keep a second copy in another building"),
                harm=_("One fire, flood, theft or lost bag can end your access for good."),
                fix_steps=(
                    _("Make a second copy this week, best on metal, and put it in another building."),
                    _("Or split it: 2-of-3 SLIP-39 shares or a multisig, each part in its own place."),
                    _("Tell your heirs where to look, not the words."),
                ),
                tools=(
                    _("Trezor Multi-share Backup (SLIP-39)"),
                    "Cryptosteel Capsule",
                    "Nunchuk",
                    _("a second, sealed paper copy"),
                ),
                minutes=60,
            ),
            OptionData(
                value="no_backup",
                label=_("Gone or unknown: I have no backup, or I am not sure it is correct"),
                risk=10,
                title=_("No working backup"),
                action=_("Make a backup and check it word by word"),
                harm=_("If the device breaks, gets lost or is reset, nobody can restore the coins."),
                fix_steps=(
                    _("Do not reset, update or uninstall the wallet until you have a checked backup."),
                    _(
                        "If the wallet can show the words, write them down offline and check them word by "
                        "word."
                    ),
                    _(
                        "If it cannot, create a new wallet, back it up, test the backup, then send all coins "
                        "there."
                    ),
                    _("Keep two copies in two buildings."),
                ),
                tools=("Trezor Suite", "Ledger", "BitBoxApp", _("pen and paper, then metal")),
                minutes=30,
            ),
            OptionData(
                value="no_seed",
                label=_("I have no seed phrase: an exchange or broker holds everything"),
                risk=0,
                na=True,
            ),
        ),
    ),
    QuestionData(
        id="hardware_wallet",
        category="wallet",
        weight=9,
        text=_("What signs the transactions for most of your crypto?"),
        why=_(
            "A key that was created in a dedicated device and never leaves it survives an infected computer."
        ),
        standards=(SEAL_MEDIUM, SEAL_BEGINNERS, CCSS),
        shown=(
            "hw_seed_typed",
            "hw_official",
            "bot_wallet",
            "hw_unverified",
            "hot_wallet",
            "exchange_custody",
        ),
        options=(
            OptionData(
                value="hw_official",
                label=_(
                    "A hardware wallet from its maker or an official seller that I set up myself, or a "
                    "multisig of them"
                ),
                title=_("A hardware wallet that you set up from scratch"),
                risk=0,
            ),
            OptionData(
                value="exchange_custody",
                label=_("An exchange or broker holds the keys; I sign nothing myself"),
                risk=4,
                title=_("You hold a claim, not keys"),
                action=_("Withdraw what you do not trade to a hardware wallet"),
                harm=_(
                    "If the company is hacked, fails or stops withdrawals, you may wait years for part of "
                    "your money."
                ),
                fix_steps=(
                    _("Turn on the withdrawal address whitelist and a passkey at the exchange."),
                    _("Decide which part you will not trade in the coming months."),
                    _(
                        "Withdraw that part to a hardware wallet you have backed up, a small test amount "
                        "first."
                    ),
                ),
                tools=("Trezor Safe 3", "Ledger", "BitBox02", _("exchange withdrawal whitelist")),
                minutes=120,
            ),
            OptionData(
                value="hw_unverified",
                label=_(
                    "A hardware wallet bought used or on a marketplace, one that came set up, or of unknown "
                    "origin"
                ),
                risk=6,
                title=_("Device with an unknown history"),
                action=_("Check the device, or replace it with one from the maker"),
                harm=_("Whoever prepared the device may know its seed and can take the coins at any time."),
                fix_steps=(
                    _(
                        "If it came with a PIN or words: move the coins now to a new wallet on another "
                        "device and stop using this one."
                    ),
                    _(
                        "Otherwise run the maker's authenticity check and install the firmware from the "
                        "maker's own app."
                    ),
                    _("If the check fails, move the coins to a device bought from the maker."),
                    _(
                        "If it passes, move the coins off, reset it, let it create a new seed, back that up, "
                        "then move them back."
                    ),
                ),
                tools=(_("Ledger genuine check"), _("Trezor Suite authenticity check"), "BitBoxApp"),
                minutes=60,
            ),
            OptionData(
                value="hot_wallet",
                label=_("A wallet app on my phone or computer, or a browser extension"),
                risk=7,
                title=_("Keys live on an online device"),
                action=_("Move your savings to a hardware wallet"),
                harm=_(
                    "Malware, a bad update or a fake extension on that device can copy the keys and empty "
                    "the wallet."
                ),
                fix_steps=(
                    _("Get a hardware wallet from the maker or an official seller."),
                    _("Create a new seed on it and back it up; do not import the old words."),
                    _(
                        "Move savings over, a small test amount first, and keep only spending money in the "
                        "app."
                    ),
                ),
                tools=("Trezor Safe 3", "Ledger", "Keystone 3 Pro", _("Rabby with a hardware wallet")),
                minutes=120,
            ),
            OptionData(
                value="hw_seed_typed",
                label=_("A hardware wallet, but its seed was once typed into a computer, phone or website"),
                risk=9,
                title=_("Cold seed that has been online"),
                action=_("Move to a seed that was only ever on a hardware wallet"),
                harm=_(
                    "Whoever captured the typed words can spend the coins without your device, today or "
                    "later."
                ),
                fix_steps=(
                    _(
                        "Create a new seed on a second device, or for now in a fresh wallet on a clean "
                        "phone, and back it up."
                    ),
                    _(
                        "Move every coin and token there, on all chains, the largest first; start unstaking "
                        "what is locked."
                    ),
                    _("Only then reset the old device and let it create a new seed of its own."),
                    _("From now on enter seed words only on the device itself."),
                ),
                tools=("Trezor Safe 3", "Ledger", "BitBox02", _("DeBank (shows balances on many chains)")),
                minutes=90,
            ),
            OptionData(
                value="bot_wallet",
                label=_("A trading bot, web or Telegram wallet that created my keys"),
                risk=10,
                title=_("Someone else's server holds your key"),
                action=_("Take your coins off the bot, into a wallet of your own"),
                harm=_("A hack, an insider or the operator can move your coins without you."),
                fix_steps=(
                    _("Create a wallet of your own and back up its words."),
                    _("Withdraw everything but what you can afford to lose, a small test amount first."),
                    _("Revoke the bot's approvals and delete the API keys you gave it."),
                    _("Do not import the bot's key into your own wallet."),
                ),
                tools=("Revoke.cash", "Rabby", "Trezor Safe 3", _("exchange API key settings")),
                minutes=30,
            ),
        ),
    ),
    QuestionData(
        id="hot_cold_split",
        category="wallet",
        weight=8,
        text=_("How much of your crypto could one bad click, one hacked company or one lost phone take?"),
        why=_("Splitting funds turns a catastrophe into an annoyance."),
        standards=(SEAL_COLD_HOT, CCSS),
        shown=("half_half", "mostly_cold", "all_exchange", "cold_90", "all_hot"),
        options=(
            OptionData(
                value="cold_90",
                label=_("Under 10%: savings are in cold storage and a separate small wallet touches apps"),
                title=_("Savings in the cold, little within reach of apps"),
                risk=0,
            ),
            OptionData(
                value="mostly_cold",
                label=_("About 10-30%"),
                risk=2,
                title=_("The hot share could be smaller"),
                action=_("Set a ceiling for the hot wallet"),
                harm=_("One hacked hot wallet would still take a tenth to a third of what you own."),
                fix_steps=(
                    _("Set a ceiling for the hot wallet, for example one month of spending."),
                    _("Move whatever is above it to cold storage on a fixed day of the week."),
                    _("Use a separate hot address for each purpose."),
                ),
                tools=("Rabby", "Safe{Wallet}", _("calendar reminder")),
                minutes=20,
            ),
            OptionData(
                value="half_half",
                label=_("About 30-70%, or I have never worked it out"),
                risk=5,
                title=_("A large share is one click away"),
                action=_("Split it: a vault, a spending wallet, a burner"),
                harm=_("One bad signature or one hacked service can take around half of what you own."),
                fix_steps=(
                    _("Set up three roles: a vault (cold), a spending wallet and a burner for new sites."),
                    _("Move savings to the vault and never connect it to sites."),
                    _("Fund the burner only for the operation at hand."),
                ),
                tools=("Trezor Safe 3", "Ledger", "Rabby", "Safe{Wallet}"),
                minutes=45,
            ),
            OptionData(
                value="all_exchange",
                label=_("Over 70%: it sits on one exchange or lending platform"),
                risk=8,
                title=_("One company can freeze or lose most of it"),
                action=_("Withdraw what you do not trade, and spread the rest"),
                harm=_(
                    "If that company is hacked, fails or stops withdrawals, almost everything is out of "
                    "reach at once."
                ),
                fix_steps=(
                    _("Turn on the address whitelist, withdrawal delay and anti-phishing code now."),
                    _(
                        "Withdraw what you do not trade to a wallet you have backed up, a small test amount "
                        "first."
                    ),
                    _("Spread what must stay over two regulated companies."),
                ),
                tools=(_("exchange withdrawal whitelist"), "Trezor Safe 3", "Ledger", "BitBox02"),
                minutes=90,
            ),
            OptionData(
                value="all_hot",
                label=_("Over 70%: it is in one online wallet that I also connect to apps"),
                risk=10,
                title=_("Savings and experiments share one key"),
                action=_("Move savings to a cold wallet that touches no apps"),
                harm=_("One bad approval, extension or app can empty everything at once."),
                fix_steps=(
                    _("Create a new wallet with a new seed, best on a hardware wallet, and back it up."),
                    _("Move savings there first, from every chain; unstake what is locked."),
                    _("Then revoke the old address's approvals and keep it as a burner with small sums."),
                ),
                tools=("Trezor Safe 3", "Ledger", "DeBank", "Revoke.cash"),
                minutes=90,
            ),
        ),
    ),
    QuestionData(
        id="account_2fa",
        category="twofa",
        weight=9,
        text=_("Which second factor protects your exchange and the email behind it?"),
        hint=_("Pick the weaker one. No exchange? Answer for your main email."),
        why=_("Your account is as strong as its weakest login or reset path."),
        standards=(NIST_63B, SEAL_MFA),
        shown=("totp_cloud", "sms", "passkey_key", "totp_local", "none"),
        options=(
            OptionData(
                value="passkey_key",
                label=_("A passkey or hardware key on both, with SMS fallback removed"),
                title=_("A passkey or hardware key instead of SMS"),
                risk=0,
            ),
            OptionData(
                value="totp_local",
                label=_("An authenticator app with no cloud copy, or a prompt I confirm on my phone"),
                risk=3,
                title=_("Codes and prompts can be phished"),
                action=_("Add a passkey or hardware key, then drop SMS"),
                harm=_(
                    "A fake login page or a caller can talk you out of one code or one tap, and one is "
                    "enough to get in."
                ),
                fix_steps=(
                    _("Add a passkey or two hardware keys to the email first, then to the exchange."),
                    _("Save backup codes offline, then remove SMS and voice calls as fallback."),
                    _("Set the exchange's anti-phishing code and withdrawal whitelist."),
                ),
                tools=(_("passkeys"), "YubiKey 5", "Google Titan Security Key", "Google Advanced Protection"),
                minutes=30,
            ),
            OptionData(
                value="totp_cloud",
                label=_("An authenticator app that syncs to the cloud, or codes kept in my password manager"),
                risk=5,
                title=_("Codes fall together with one account"),
                action=_("Take the codes for email and exchange out of the cloud"),
                harm=_("Whoever gets into that one account also gets every one-time code stored in it."),
                fix_steps=(
                    _(
                        "Save the backup codes of email and exchange offline, so that you cannot lock "
                        "yourself out."
                    ),
                    _("Protect the syncing account with a passkey or hardware key."),
                    _(
                        "Set the codes for email and exchange up anew in an app without sync; the old ones "
                        "then stop working."
                    ),
                ),
                tools=(
                    _("Aegis (for Android)"),
                    _("2FAS without cloud backup"),
                    _("Ente Auth without an account"),
                    "YubiKey 5",
                ),
                minutes=40,
            ),
            OptionData(
                value="sms",
                label=_("A code by SMS, phone call or email"),
                risk=8,
                title=_("Codes travel over a channel that can be hijacked"),
                action=_("Replace SMS codes with a passkey or an app"),
                harm=_(
                    "Whoever takes over your number or mailbox receives the codes and can reset the account."
                ),
                fix_steps=(
                    _("Add a passkey or an authenticator app today: email first, then the exchange."),
                    _("Save backup codes offline, then remove the number as second factor and recovery."),
                    _("Ask your carrier for a SIM and port-out lock."),
                ),
                tools=(_("passkeys"), "YubiKey 5", _("Aegis (for Android)"), "2FAS"),
                minutes=25,
            ),
            OptionData(
                value="none",
                label=_("None on at least one of them, or I do not know"),
                risk=10,
                title=_("A password alone opens the account"),
                action=_("Turn on a second factor: email first, then the exchange"),
                harm=_("One leaked or guessed password is enough to log in and start a withdrawal."),
                fix_steps=(
                    _("Add a passkey or an authenticator app to the email now, then to the exchange."),
                    _("Save the backup codes offline."),
                    _("Check the email's forwarding rules and sign out every device you do not know."),
                ),
                tools=(_("passkeys"), "YubiKey 5", "2FAS", "Google Security Checkup"),
                minutes=20,
            ),
        ),
    ),
    QuestionData(
        id="sim_protection",
        category="twofa",
        weight=6,
        text=_("Someone takes over your phone number tonight. Which of your accounts fall with it?"),
        why=_("A SIM swap needs one deceived or bribed carrier employee, not your phone."),
        standards=(SEAL_SIM, NIST_63B),
        shown=("unused_no_lock", "recovery_no_lock", "public_recovery", "port_lock", "no_dependency"),
        options=(
            OptionData(
                value="no_dependency",
                label=_("None: the number is no login or recovery anywhere, and a carrier lock is on"),
                title=_("A phone number that opens nothing"),
                risk=0,
            ),
            OptionData(
                value="port_lock",
                label=_("Some: a carrier PIN or lock is on, but the number can still reset accounts"),
                risk=3,
                title=_("A lock helps, but the number is still a key"),
                action=_("Take the number out of your logins and recovery"),
                harm=_(
                    "Carrier staff can be tricked past a PIN, and the number then resets every account that "
                    "trusts it."
                ),
                fix_steps=(
                    _("List the accounts that know your number: email, exchange, Telegram, X."),
                    _("Give each another recovery method, then remove the number."),
                    _("Set a two-step password in Telegram and a two-step PIN in WhatsApp."),
                ),
                tools=(
                    "T-Mobile SIM Protection",
                    "Verizon Number Lock",
                    "AT&T Wireless Account Lock",
                    _("Telegram two-step password"),
                ),
                minutes=40,
            ),
            OptionData(
                value="unused_no_lock",
                label=_("Perhaps some: I use no SMS codes, but the number is on my accounts and not locked"),
                risk=5,
                title=_("The number can still reset passwords"),
                action=_("Lock the number, and remove it from your accounts"),
                harm=_(
                    "Some services reset a password with the number alone, even if you never chose SMS codes."
                ),
                fix_steps=(
                    _("Add another recovery method to email, X and exchange, then delete the number there."),
                    _("Turn on your carrier's lock against SIM changes and port-outs."),
                    _(
                        "Where your country or carrier offers it, block new SIM contracts in your name and "
                        "actions by proxy."
                    ),
                ),
                tools=(
                    _("carrier SIM lock"),
                    _("a block on new SIM contracts in your name"),
                    _("Google account recovery settings"),
                ),
                minutes=30,
            ),
            OptionData(
                value="recovery_no_lock",
                label=_(
                    "My email or exchange: it is their recovery number and not locked, or I never checked"
                ),
                risk=8,
                title=_("One SIM swap from losing the account"),
                action=_("Remove the number from email and exchange recovery"),
                harm=_("With your number, a stranger can reset the email and from there the exchange."),
                fix_steps=(
                    _("Add a passkey and backup codes to the email today, then remove the number."),
                    _("Do the same at the exchange."),
                    _("Turn on the carrier lock and set a port-out PIN."),
                ),
                tools=(_("passkeys"), "YubiKey 5", _("carrier SIM lock")),
                minutes=30,
            ),
            OptionData(
                value="public_recovery",
                label=_("Nearly all: the number is public or widely known and resets my accounts"),
                risk=10,
                title=_("A known number is your master key"),
                action=_("Cut your known number off from every account"),
                harm=_(
                    "Anyone can find the number to attack, and one swap opens your accounts one after "
                    "another."
                ),
                fix_steps=(
                    _(
                        "Add passkeys and backup codes, then remove the known number from every login and "
                        "recovery."
                    ),
                    _("For the few services that insist on a number, use a second one that nobody knows."),
                    _("Lock both numbers at the carrier."),
                ),
                tools=(_("passkeys"), _("an eSIM from a second carrier"), _("carrier SIM lock")),
                minutes=60,
            ),
        ),
    ),
    QuestionData(
        id="password_hygiene",
        category="twofa",
        weight=7,
        text=_("How do you keep the passwords for your email, exchanges and cloud?"),
        why=_("Passwords from old leaks and from malware are tried on exchanges automatically."),
        standards=(ETHEREUM_ORG, LISSY),
        shown=("reused", "pm_unique", "pm_weak_master", "browser_saved", "patterns"),
        options=(
            OptionData(
                value="pm_unique",
                label=_(
                    "In a password manager: all random and unique, a long master passphrase, 2FA on the "
                    "manager"
                ),
                title=_("A different password everywhere, in a manager with 2FA"),
                risk=0,
            ),
            OptionData(
                value="pm_weak_master",
                label=_("In a password manager with a short or old master password, or no 2FA on it"),
                risk=4,
                title=_("A vault that can be cracked offline"),
                action=_("Give the manager a long passphrase and 2FA"),
                harm=_(
                    "If a copy of the vault leaks, a weak master password can be guessed and everything "
                    "inside read."
                ),
                fix_steps=(
                    _("If a seed or private key is in the vault, move those coins to a new seed first."),
                    _("Set a master passphrase of five or more random words."),
                    _("Turn on 2FA for the manager and raise its key-derivation (KDF) setting."),
                    _("Change the passwords of email and exchanges."),
                ),
                tools=("Bitwarden", "1Password", "KeePassXC", "YubiKey 5"),
                minutes=40,
            ),
            OptionData(
                value="browser_saved",
                label=_("Saved in the browser"),
                risk=6,
                title=_("Passwords lie where stealer malware looks first"),
                action=_("Move passwords from the browser to a manager"),
                harm=_(
                    "One infected download can copy every saved password and open session within seconds."
                ),
                fix_steps=(
                    _(
                        "Move the passwords to a password manager, then delete them from the browser and "
                        "delete the export file."
                    ),
                    _("Change the email and exchange passwords from a clean device."),
                    _("Sign out all other sessions."),
                ),
                tools=("Bitwarden", "1Password", "Proton Pass", "KeePassXC"),
                minutes=60,
            ),
            OptionData(
                value="patterns",
                label=_("In my head, as variations of one theme"),
                risk=8,
                title=_("One leak gives away the pattern"),
                action=_("Give your five main accounts random passwords"),
                harm=_(
                    "Whoever sees one leaked password can guess the others and try them on your accounts."
                ),
                fix_steps=(
                    _("Start with five accounts: email, cloud, exchange, carrier, messenger."),
                    _("Give each a random password from a password manager."),
                    _("Check whether your email addresses appear in known leaks."),
                ),
                tools=("Bitwarden", "KeePassXC", "Have I Been Pwned"),
                minutes=45,
            ),
            OptionData(
                value="reused",
                label=_("The same one in two or more places, or I am not sure"),
                risk=10,
                title=_("One leaked password opens several accounts"),
                action=_("Give email and exchange each a password of its own"),
                harm=_(
                    "A password leaked by any other site can be used to log in to your email or exchange."
                ),
                fix_steps=(
                    _("Change the email and exchange passwords now, each to its own random one."),
                    _("Turn on 2FA on both."),
                    _("Check known leaks and change every other reused password."),
                ),
                tools=("Have I Been Pwned", "Bitwarden", "KeePassXC", "1Password"),
                minutes=45,
            ),
        ),
    ),
    QuestionData(
        id="token_approvals",
        category="defi",
        weight=8,
        text=_("How do you handle token approvals and Permit signatures?"),
        hint=_("A delegation of the whole account (EIP-7702, “smart account”) counts as an approval."),
        why=_(
            "An approval is a standing permission to take your tokens, and most never expire by themselves."
        ),
        standards=(SEAL_CONTRACTS, ETHEREUM_ORG, REVOKE),
        shown=(
            "review_rarely",
            "unlimited_known",
            "sign_permits",
            "never_checked",
            "exact_revoke",
            "no_defi",
        ),
        options=(
            OptionData(
                value="exact_revoke",
                label=_(
                    "I approve exact amounts, revoke every month and use a separate wallet for new sites"
                ),
                title=_("Approvals for exact amounts, revoked every month"),
                risk=0,
            ),
            OptionData(
                value="review_rarely",
                label=_("I read what I approve, but review old approvals once a year or less"),
                risk=3,
                title=_("Old approvals wait for a full wallet"),
                action=_("Check and revoke approvals every month"),
                harm=_("A forgotten approval can be used months later, when there is more to take."),
                fix_steps=(
                    _("Open an approval checker for every address and chain you use."),
                    _("Revoke everything you do not need this month."),
                    _("Put a monthly reminder in your calendar."),
                ),
                tools=("Revoke.cash", "Etherscan Token Approval Checker", _("Rabby approvals page")),
                minutes=15,
            ),
            OptionData(
                value="unlimited_known",
                label=_("I give unlimited approvals to well-known apps"),
                risk=6,
                title=_("Unlimited trust in someone's code"),
                action=_("Revoke unlimited approvals, approve exact sums"),
                harm=_(
                    "If that app or its website is hacked, every approved token in your wallet can be taken."
                ),
                fix_steps=(
                    _("Revoke unlimited approvals, aggregators and bridges first."),
                    _("When the wallet asks, change the amount to the exact sum."),
                    _("Leave one-time approvals on in apps that offer them."),
                ),
                tools=("Revoke.cash", "Rabby", _("MetaMask spending cap")),
                minutes=20,
            ),
            OptionData(
                value="sign_permits",
                label=_("I sign requests such as Permit, Permit2 or logins without reading them"),
                risk=8,
                title=_("A free signature can empty the wallet"),
                action=_("Sign only what your wallet can decode"),
                harm=_(
                    "One signature that costs no gas can let a stranger move your tokens at once or later."
                ),
                fix_steps=(
                    _("If you doubt a signature you already gave, move those tokens to a new address first."),
                    _("Cancel active Permit2 allowances with an approval checker."),
                    _("Use a wallet that decodes and simulates signatures."),
                    _("Reject every Permit, Permit2 or setApprovalForAll that you did not start."),
                ),
                tools=("Rabby", "Revoke.cash", "Scam Sniffer", _("MetaMask security alerts")),
                minutes=20,
            ),
            OptionData(
                value="never_checked",
                label=_("I never checked, or do not know what approvals are"),
                risk=10,
                title=_("Unknown permissions are open"),
                action=_("Find out who may take your tokens, and revoke it"),
                harm=_(
                    "A permission you forgot, or never noticed, can be used to take your tokens at any time."
                ),
                fix_steps=(
                    _(
                        "Look up all your addresses in an approval checker; type its web address yourself, "
                        "fakes exist."
                    ),
                    _("Revoke everything you do not recognize, the most valuable tokens first."),
                    _("Move savings to a fresh address with no approvals and keep the old one as a burner."),
                ),
                tools=("Revoke.cash", "Etherscan Token Approval Checker", _("Rabby approvals page")),
                minutes=30,
            ),
            OptionData(
                value="no_defi",
                label=_("I do not use DeFi, NFTs or dApps"),
                risk=0,
                na=True,
            ),
        ),
    ),
    QuestionData(
        id="tx_verification",
        category="defi",
        weight=10,
        text=_("What do you check before you confirm a transfer or a signature?"),
        why=_("It is the last moment in which a theft can still be stopped."),
        standards=(SEAL_SIGNING, SEAL_MEDIUM, ETHEREUM_ORG),
        shown=("simulate_only", "history_copy", "full_device", "first_last", "blind"),
        options=(
            OptionData(
                value="full_device",
                label=_(
                    "That the saved contact, the decoded details and the whole address on the device screen "
                    "agree"
                ),
                title=_("Checking the whole address on the device's screen"),
                risk=0,
            ),
            OptionData(
                value="simulate_only",
                label=_("The preview or simulation in the wallet or website, not a separate device screen"),
                risk=3,
                title=_("You trust a screen that can be faked"),
                action=_("Compare the details on the device's own screen"),
                harm=_(
                    "If the website or computer is hacked, the preview can look right while you sign "
                    "something else."
                ),
                fix_steps=(
                    _("Compare the amount, address and function on the device screen."),
                    _("For large sums, check the same data with a second device or tool."),
                    _("Turn blind signing off and allow it only for a single operation."),
                ),
                tools=(
                    "Ledger Clear Signing",
                    "Trezor Safe 5",
                    "Tenderly",
                    _("Safe transaction hash checkers"),
                ),
                minutes=20,
            ),
            OptionData(
                value="first_last",
                label=_("The first and last characters of the address"),
                risk=6,
                title=_("Only the ends of the address are checked"),
                action=_("Check the whole address, not its ends"),
                harm=_(
                    "A look-alike address with the same ends passes this check, and the transfer cannot be "
                    "undone."
                ),
                fix_steps=(
                    _("Save your usual recipients in the wallet's address book or whitelist."),
                    _("Compare the middle of the address too, in blocks of four."),
                    _("Take a new address from a QR code or contact that the recipient confirms."),
                ),
                tools=(
                    _("Rabby whitelist"),
                    _("MetaMask contacts"),
                    _("exchange withdrawal whitelist"),
                    "ENS",
                ),
                minutes=15,
            ),
            OptionData(
                value="history_copy",
                label=_("Little else: I copy the address from my transaction history"),
                risk=8,
                title=_("History is where fake addresses are planted"),
                action=_("Send to saved contacts only, never from history"),
                harm=_(
                    "A planted look-alike sits in your history, and one copy and paste sends the money to a "
                    "thief."
                ),
                fix_steps=(
                    _("Stop copying from history: use saved contacts or ask the recipient again."),
                    _("Hide zero-value and spam transfers in the wallet and explorer."),
                    _("After a test transfer, have it confirmed and reuse the very same saved contact."),
                ),
                tools=(_("Rabby whitelist"), _("MetaMask contacts"), _("exchange address book")),
                minutes=15,
            ),
            OptionData(
                value="blind",
                label=_("Little: I press confirm, blind signing is on, or I do not know what it is"),
                risk=10,
                title=_("You sign what you cannot read"),
                action=_("Turn blind signing off"),
                harm=_(
                    "One hidden instruction can hand over your tokens or the control of a whole position."
                ),
                fix_steps=(
                    _("Turn blind signing off in the device's settings."),
                    _("Use a wallet that simulates the transaction and names the action."),
                    _("If you cannot read what it does, reject it."),
                ),
                tools=("Ledger Clear Signing", "Rabby", _("MetaMask security alerts"), "Scam Sniffer"),
                minutes=15,
            ),
        ),
    ),
    QuestionData(
        id="device_hygiene",
        category="operational",
        weight=7,
        text=_("On which device do you use wallets and exchanges?"),
        hint=_("Pick the least protected one."),
        why=_(
            "Malware and browser extensions can see the clipboard, the sessions and the screen of everything "
            "else there."
        ),
        standards=(SEAL_ENDPOINT, LISSY),
        shown=("shared_old", "daily_mixed", "separate_profile", "dedicated", "risky_installs"),
        options=(
            OptionData(
                value="dedicated",
                label=_("A dedicated, updated device with nothing else on it"),
                title=_("A separate device with nothing else on it"),
                risk=0,
            ),
            OptionData(
                value="separate_profile",
                label=_("My daily computer or phone, but a separate profile with hardly any extensions"),
                risk=3,
                title=_("A profile is no wall against malware"),
                action=_("Do large transfers on a device of their own"),
                harm=_(
                    "Malware caught elsewhere on the device can still read what is stored in every profile."
                ),
                fix_steps=(
                    _("Move large operations to a dedicated laptop, tablet or phone."),
                    _("Move coins out of old wallets in old profiles, then remove those wallets."),
                    _("Keep no keys in synced keychains, notes or .env files."),
                ),
                tools=(_("Chromebook or iPad just for crypto"), "Tails", "GrapheneOS"),
                minutes=90,
            ),
            OptionData(
                value="daily_mixed",
                label=_("My daily, updated device with my usual extensions and apps"),
                risk=5,
                title=_("Any extension can become the thief"),
                action=_("Clear out extensions, give wallets their own profile"),
                harm=_("One bad extension update can steal your session or your keys, even with 2FA on."),
                fix_steps=(
                    _("Remove every extension you do not need today."),
                    _("Make a separate browser profile just for wallets and log out of exchanges after use."),
                    _("Turn on automatic updates of system and browser."),
                ),
                tools=(_("Chrome or Firefox profiles"), "Microsoft Defender", "Malwarebytes"),
                minutes=30,
            ),
            OptionData(
                value="risky_installs",
                label=_("A device where I also run games, cracks, test tasks or little-known apps"),
                risk=8,
                title=_("Stealers come as games and tools"),
                action=_("Use wallets on a clean device only"),
                harm=_("One bad download can copy wallets, saved passwords and sessions before you notice."),
                fix_steps=(
                    _("From now on use wallets and exchanges only on another, clean device."),
                    _(
                        "If a seed or wallet was ever on this one: create a new seed on the clean device and "
                        "move the coins."
                    ),
                    _("Change passwords and sign out all sessions from the clean device."),
                    _("Scan this device, and if in doubt reinstall the system."),
                ),
                tools=(
                    "Microsoft Defender Offline",
                    "Malwarebytes",
                    _("a virtual machine for untrusted software"),
                ),
                minutes=120,
            ),
            OptionData(
                value="shared_old",
                label=_("A shared, work or no longer updated device, or I do not know if it gets updates"),
                risk=10,
                title=_("You do not control the device"),
                action=_("Get a device of your own that still gets updates"),
                harm=_(
                    "Other people, their files or known unpatched flaws can reach your sessions, clipboard "
                    "and keys."
                ),
                fix_steps=(
                    _("Switch to a phone or computer of your own that gets updates."),
                    _(
                        "If a wallet was on the old device: create a new seed on the clean one and move the "
                        "coins."
                    ),
                    _("From the clean device, sign out all other sessions, change passwords and check 2FA."),
                ),
                tools=(
                    _("an iPhone or Android phone with current updates"),
                    "Chromebook",
                    "Google Security Checkup",
                ),
                minutes=60,
            ),
        ),
    ),
    QuestionData(
        id="phishing_support",
        category="operational",
        weight=10,
        text=_("'Support' calls or writes: your funds are at risk, act now. What would you most likely do?"),
        why=_("Several of the largest personal losses since 2024 began with a convincing conversation."),
        standards=(SEAL_SOCIAL, ETHEREUM_ORG),
        shown=("remote_or_code", "hang_up_verify", "usually_check", "click_links", "would_give_seed"),
        options=(
            OptionData(
                value="hang_up_verify",
                label=_("End it and open the official site or app myself; nobody gets my seed phrase"),
                title=_("Ending the call and opening the site by your own bookmark"),
                risk=0,
            ),
            OptionData(
                value="usually_check",
                label=_("Check the caller ID, mail domain or profile and, if it fits, keep talking"),
                risk=4,
                title=_("Names and numbers are easy to fake"),
                action=_("Do nothing on a call or message you did not start"),
                harm=_(
                    "A caller who knows your name and balance can seem real long enough to talk you into a "
                    "transfer."
                ),
                fix_steps=(
                    _(
                        "Make it a rule: never act on a call or message you did not start, even if they know "
                        "your balance."
                    ),
                    _("Get back only through the app or site that you opened yourself."),
                    _("Set the exchange's anti-phishing code and agree on a family code word."),
                ),
                tools=(
                    _("exchange anti-phishing code"),
                    _("call screening on your phone"),
                    _("SEAL 911 Telegram bot"),
                ),
                minutes=10,
            ),
            OptionData(
                value="click_links",
                label=_("Open the link from the message, letter, ad or search result and look"),
                risk=7,
                title=_("You log in where somebody's link leads"),
                action=_("Open exchange and wallet from bookmarks only"),
                harm=_(
                    "A perfect copy of the site can take your login, or one signature that empties the "
                    "wallet."
                ),
                fix_steps=(
                    _("Bookmark your exchange, wallet and apps, and use only the bookmarks."),
                    _("Block ads and turn on warnings about known drainer sites."),
                    _("Do not scan QR codes from letters."),
                ),
                tools=(_("browser bookmarks"), "uBlock Origin", "Scam Sniffer"),
                minutes=15,
            ),
            OptionData(
                value="remote_or_code",
                label=_(
                    "If it sounds right: share my screen, install a tool, join the call or read out a code"
                ),
                risk=9,
                title=_("A caller could take over your session"),
                action=_("Make it a rule: no codes, no screen sharing"),
                harm=_(
                    "With your screen or one code, the caller can reset your accounts, see your keys and "
                    "move the coins."
                ),
                fix_steps=(
                    _(
                        "If you did this before: from a clean device, move coins to a new seed, then change "
                        "passwords and 2FA."
                    ),
                    _("Sign out all sessions, then uninstall remote-control tools and unknown meeting apps."),
                    _("Write down: no codes, no screen sharing, no updates from a call."),
                ),
                tools=("Google Security Checkup", "Malwarebytes", _("passkeys"), _("SEAL 911 Telegram bot")),
                minutes=40,
            ),
            OptionData(
                value="would_give_seed",
                label=_("Follow the steps: enter my seed phrase or move funds to the wallet they call safe"),
                risk=10,
                title=_("Nothing stops this scam yet"),
                action=_("See to it that one call cannot empty your wallet"),
                harm=_(
                    "Within minutes everything that this seed or account controls can be moved, and "
                    "transfers cannot be undone."
                ),
                fix_steps=(
                    _(
                        "If it already happened: move what is left to a new seed now, then report it; ignore "
                        "paid 'recovery' offers."
                    ),
                    _(
                        "Put a note on the device: nobody honest asks for the words or for a transfer to a "
                        "'safe' wallet."
                    ),
                    _("Add a brake: a multisig, a co-signer or a withdrawal delay."),
                ),
                tools=("Safe{Wallet}", "Casa", "Nunchuk", _("SEAL 911 Telegram bot")),
                minutes=60,
            ),
        ),
    ),
    QuestionData(
        id="privacy_inheritance",
        category="operational",
        weight=5,
        text=_(
            "You are forced to hand over your crypto, or can no longer act yourself (accident, death). What "
            "happens?"
        ),
        why=_("Robbers and heirs ask the same question from opposite sides."),
        standards=(SEAL_OPSEC, LOPP, LISSY),
        shown=("inherit_only", "full_plan", "private_no_plan", "known_holder", "duress_only"),
        options=(
            OptionData(
                value="full_plan",
                label=_(
                    "Few people know, a decoy, delay or co-signer limits the loss, and heirs have a tested "
                    "plan"
                ),
                title=_("A plan against threats, and a tested one for heirs"),
                risk=0,
            ),
            OptionData(
                value="inherit_only",
                label=_("Heirs know what to do, but I alone could be forced to send everything"),
                risk=3,
                title=_("One person, one place, everything"),
                action=_("See to it that you cannot be forced to send it all"),
                harm=_("A robber needs only you and a few minutes to take all of it."),
                fix_steps=(
                    _(
                        "Move savings to a multisig or a wallet with a time lock, after testing it with a "
                        "small amount."
                    ),
                    _("Store one key or share outside your home."),
                    _("Keep a small decoy wallet and agree on a family duress word."),
                ),
                tools=("Nunchuk", "Casa", _("Liana (Bitcoin time lock)"), "Safe{Wallet}"),
                minutes=90,
            ),
            OptionData(
                value="duress_only",
                label=_("I am hard to rob, but nobody could find or use it after me"),
                risk=4,
                title=_("Your secrecy locks out your family"),
                action=_("Write a letter so that your family can find the coins"),
                harm=_(
                    "After an accident your family may never learn that the coins exist or how to reach them."
                ),
                fix_steps=(
                    _("Write a one-page letter: what exists, where it is, whom to ask; no seed words."),
                    _("Leave it with a notary or a person you trust and walk through it together."),
                    _("Consider a wallet with an inheritance feature."),
                ),
                tools=(_("a sealed letter"), "Casa", "Nunchuk", "Bitkey"),
                minutes=90,
            ),
            OptionData(
                value="private_no_plan",
                label=_("Hardly anyone knows I hold crypto, but there is no plan for either case"),
                risk=6,
                title=_("No plan for the bad day"),
                action=_("Make a plan for robbery and for accident"),
                harm=_(
                    "In a robbery nothing slows the thief down, and after an accident nobody finds the coins."
                ),
                fix_steps=(
                    _("Choose one person you trust and write a letter for heirs, without seed words."),
                    _("Move one key, share or backup out of the house and set up a small decoy wallet."),
                    _("Review the plan once a year."),
                ),
                tools=(_("a sealed letter"), "Nunchuk", "Casa", _("an off-site metal backup")),
                minutes=120,
            ),
            OptionData(
                value="known_holder",
                label=_("Others know that I hold crypto, or may know, and there is no plan"),
                risk=10,
                title=_("Visible holder without a brake"),
                action=_("Slow down any withdrawal, and be harder to find"),
                harm=_(
                    "A known holder is easier to pick as a target, and nothing would slow down a forced "
                    "transfer."
                ),
                fix_steps=(
                    _(
                        "Set up a multisig or a delay, tested with a small amount, so that nobody at home "
                        "can send it all at once."
                    ),
                    _("Remove posts, screenshots, ENS names and addresses tied to your name."),
                    _("Order hardware wallets to a pick-up point with an alias email."),
                    _("If you are ever threatened, comply and call the police after: your life comes first."),
                ),
                tools=("Safe{Wallet}", "Casa", "Nunchuk", "SimpleLogin"),
                minutes=120,
            ),
        ),
    ),
)
