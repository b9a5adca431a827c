"""How each kind of attack goes, step by step, and which answers stand in its way.

Pure data, beside the cases of ``bank_incidents.py``: one path for each kind (``vector``), because the sources
rarely tell every step of a case. What a case itself shows wins over the path: an answer among its
``weaknesses`` never stops it (see ``replay.py``). A step without a gate is one that the 12 questions say
nothing about. English texts are gettext message ids.
"""

from dataclasses import dataclass

from django.utils.translation import gettext_noop as _


@dataclass(frozen=True, slots=True, kw_only=True)
class GateData:
    """A question that decides a step. Answers in ``stops`` end the attack, those in ``may`` might,
    those in ``limits`` let it through but keep most out of reach; all others let it pass."""

    question: str
    stops: tuple[str, ...] = ()
    may: tuple[str, ...] = ()
    limits: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StepData:
    """What happens next. One gate that holds is enough, unless ``every``: then all of them must."""

    text: str
    gates: tuple[GateData, ...] = ()
    every: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class PathData:
    """``theft``: somebody takes something; else access is lost without a thief. ``beyond``: what would help
    where no answer of the check can."""

    steps: tuple[StepData, ...]
    theft: bool = True
    beyond: str = ""


NO_GATE = _("Your answers cannot change this step: it happens somewhere else.")

_SPLIT = GateData(question="hot_cold_split", limits=("cold_90", "mostly_cold"))
_PLAN = GateData(question="privacy_inheritance", limits=("full_plan",))
_READS_DEVICE = GateData(question="tx_verification", stops=("full_device",), may=("simulate_only",))
_TAKES_THE_REST = StepData(
    text=_("The thief empties what this access opens, and nothing else."), gates=(_SPLIT,)
)
_TAKES_ALL = StepData(
    text=_(
        "With the words the thief moves everything they control, unless a delay or a co-signer is in the way."
    ),
    gates=(_PLAN,),
)

PATHS: dict[str, PathData] = {
    "address_poisoning": PathData(
        steps=(
            StepData(
                text=_(
                    "The thief plants a transfer from a look-alike address in your history. Anyone can do that."
                ),
            ),
            StepData(
                text=_("You are about to send, and the look-alike is the address that you paste."),
                gates=(GateData(question="tx_verification", stops=("full_device",), may=("simulate_only",)),),
            ),
        ),
    ),
    "drainer_signature": PathData(
        steps=(
            StepData(
                text=_("A post, an ad or a message leads you to a page that copies a known one."),
                gates=(GateData(question="phishing_support", may=("hang_up_verify",)),),
            ),
            StepData(
                text=_("The page asks you to connect a wallet and to approve."),
                gates=(
                    GateData(
                        question="token_approvals", stops=("exact_revoke", "no_defi"), may=("review_rarely",)
                    ),
                ),
            ),
            StepData(text=_("You see the request before you sign it."), gates=(_READS_DEVICE,)),
            _TAKES_THE_REST,
        ),
    ),
    "permit_phishing": PathData(
        steps=(
            StepData(
                text=_("A page asks for a free signature that hands over your tokens."),
                gates=(
                    GateData(
                        question="token_approvals", stops=("exact_revoke", "no_defi"), may=("review_rarely",)
                    ),
                ),
            ),
            StepData(text=_("You see the request before you sign it."), gates=(_READS_DEVICE,)),
            _TAKES_THE_REST,
        ),
    ),
    "stale_approval": PathData(
        steps=(
            StepData(
                text=_("You approve a contract that turns out to be hostile."),
                gates=(GateData(question="token_approvals", stops=("no_defi",)),),
            ),
            StepData(
                text=_("The approval stays in place for months, until there is enough to take."),
                gates=(
                    GateData(question="token_approvals", stops=("exact_revoke",), may=("review_rarely",)),
                ),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "unlimited_approval": PathData(
        steps=(
            StepData(
                text=_("You let a well-known app spend as much as it likes."),
                gates=(
                    GateData(
                        question="token_approvals", stops=("exact_revoke", "no_defi"), may=("review_rarely",)
                    ),
                ),
            ),
            StepData(text=_("Somebody finds a flaw in that app and uses its permission.")),
            _TAKES_THE_REST,
        ),
    ),
    "blind_signing": PathData(
        steps=(
            StepData(
                text=_("A fake or tampered page shows you a transaction that is not what it says."),
                gates=(GateData(question="token_approvals", may=("no_defi",)),),
            ),
            StepData(text=_("You check it, or not, and sign."), gates=(_READS_DEVICE,)),
            _TAKES_THE_REST,
        ),
    ),
    "supply_chain": PathData(
        steps=(
            StepData(text=_("The attacker poisons a component that many sites load.")),
            StepData(
                text=_("A site that you trust, in your own bookmarks, runs it."),
                gates=(GateData(question="token_approvals", may=("no_defi",)),),
            ),
            StepData(
                text=_("It swaps the address, or asks you for a signature."),
                gates=(_READS_DEVICE,),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "frontend_hijack": PathData(
        steps=(
            StepData(text=_("The attacker takes over the domain: even your bookmark now opens a clone.")),
            StepData(
                text=_("The clone asks for an approval that you would give anyway."),
                gates=(GateData(question="token_approvals", stops=("no_defi",), may=("exact_revoke",)),),
            ),
            StepData(text=_("You see the request before you sign it."), gates=(_READS_DEVICE,)),
            _TAKES_THE_REST,
        ),
    ),
    "malicious_extension": PathData(
        steps=(
            StepData(
                text=_(
                    "A useful extension turns hostile, or a hostile one looks useful, where your wallets are."
                ),
                gates=(GateData(question="device_hygiene", stops=("dedicated",), may=("separate_profile",)),),
            ),
            StepData(
                text=_("It reads what the device holds: sessions, saved passwords, keys."),
                gates=(GateData(question="hardware_wallet", stops=("hw_official",), may=("hw_unverified",)),),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "malware": PathData(
        steps=(
            StepData(
                text=_("You run something that is not what it seems: a game, an update, a tool for a call."),
                gates=(GateData(question="device_hygiene", stops=("dedicated",), may=("separate_profile",)),),
            ),
            StepData(
                text=_("It searches the device and its cloud for keys, words and sessions."),
                gates=(
                    GateData(
                        question="hardware_wallet",
                        stops=("hw_official",),
                        may=("hw_unverified", "exchange_custody"),
                    ),
                    GateData(
                        question="seed_storage",
                        stops=("metal", "paper_safe", "paper_home", "no_seed"),
                        may=("password_manager",),
                    ),
                ),
                every=True,
            ),
            _TAKES_THE_REST,
        ),
    ),
    "clipper_malware": PathData(
        steps=(
            StepData(
                text=_("Malware settles on your device and watches the clipboard."),
                gates=(
                    GateData(
                        question="device_hygiene",
                        stops=("dedicated",),
                        may=("separate_profile", "daily_mixed"),
                    ),
                ),
            ),
            StepData(
                text=_("You copy an address; another one is pasted."),
                gates=(
                    GateData(
                        question="tx_verification",
                        stops=("full_device",),
                        may=("simulate_only", "first_last"),
                    ),
                ),
            ),
        ),
    ),
    "fake_app": PathData(
        steps=(
            StepData(text=_("A counterfeit of a wallet's app gets into an official store.")),
            StepData(
                text=_("It asks you to type in your recovery words."),
                gates=(
                    GateData(question="seed_storage", stops=("no_seed",)),
                    GateData(question="phishing_support", stops=("hang_up_verify",)),
                ),
            ),
            _TAKES_ALL,
        ),
    ),
    "fake_support": PathData(
        steps=(
            StepData(
                text=_("Somebody calls or writes as support. They know your name, perhaps your balance."),
                gates=(
                    GateData(question="phishing_support", stops=("hang_up_verify",), may=("usually_check",)),
                ),
            ),
            StepData(
                text=_("They ask for a code, a tap on your phone, your screen or your words."),
                gates=(GateData(question="account_2fa", may=("passkey_key",)),),
            ),
            StepData(
                text=_("They move what they reached, or you move it for them to a “safe” wallet."),
                gates=(_PLAN,),
            ),
        ),
    ),
    "sim_swap": PathData(
        steps=(
            StepData(
                text=_("The thief has your number moved to another SIM, in a shop or by an insider."),
                gates=(GateData(question="sim_protection", stops=("no_dependency",), may=("port_lock",)),),
            ),
            StepData(
                text=_("With your number the thief resets the e-mail and the exchange."),
                gates=(
                    GateData(
                        question="account_2fa", stops=("passkey_key",), may=("totp_local", "totp_cloud")
                    ),
                ),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "mfa_bypass": PathData(
        steps=(
            StepData(
                text=_("A message with a link to a copy of a login page asks for your code."),
                gates=(
                    GateData(question="phishing_support", stops=("hang_up_verify",), may=("usually_check",)),
                ),
            ),
            StepData(
                text=_("One account that was opened gives away all other codes."),
                gates=(GateData(question="account_2fa", stops=("passkey_key", "totp_local")),),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "credential_reuse": PathData(
        steps=(
            StepData(
                text=_("A list of stolen logins holds yours, and robots try it everywhere."),
                gates=(GateData(question="password_hygiene", stops=("pm_unique",), may=("pm_weak_master",)),),
            ),
            StepData(
                text=_("The site asks for a second factor."),
                gates=(
                    GateData(
                        question="account_2fa",
                        stops=("passkey_key",),
                        may=("totp_local", "totp_cloud", "sms"),
                    ),
                ),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "vault_breach": PathData(
        steps=(
            StepData(text=_("The vaults of a password manager's customers are copied from its servers.")),
            StepData(
                text=_("The thief looks for seed phrases in them."),
                gates=(
                    GateData(
                        question="seed_storage",
                        stops=("metal", "paper_safe", "paper_home", "photo_device", "no_seed"),
                    ),
                ),
            ),
            StepData(
                text=_("A computer guesses the master password, for years if need be."),
                gates=(GateData(question="password_hygiene", may=("pm_unique",)),),
            ),
            _TAKES_ALL,
        ),
    ),
    "seed_exposure": PathData(
        steps=(
            StepData(
                text=_(
                    "A picture of the words exists, or a file with them, and somebody else gets to see it."
                ),
                gates=(
                    GateData(
                        question="seed_storage",
                        stops=("metal", "paper_safe", "paper_home", "password_manager", "no_seed"),
                    ),
                ),
            ),
            _TAKES_ALL,
        ),
    ),
    "tampered_hardware": PathData(
        steps=(
            StepData(
                text=_("A seller sets the device up before you do and keeps its words."),
                gates=(
                    GateData(
                        question="hardware_wallet",
                        stops=("hw_official", "exchange_custody", "hot_wallet", "bot_wallet"),
                        may=("hw_seed_typed",),
                    ),
                ),
            ),
            _TAKES_ALL,
        ),
    ),
    "wallet_software_breach": PathData(
        steps=(
            StepData(text=_("The maker of a wallet app is hacked, or a bad update goes out under its name.")),
            StepData(
                text=_("The app holds your keys and gives them away."),
                gates=(
                    GateData(
                        question="hardware_wallet",
                        stops=("hw_official", "exchange_custody"),
                        may=("hw_unverified", "hw_seed_typed"),
                    ),
                ),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "custodial_bot": PathData(
        steps=(
            StepData(text=_("A service that keeps its users' keys on a server is hacked.")),
            StepData(
                text=_("Your keys are among them."),
                gates=(
                    GateData(
                        question="hardware_wallet",
                        stops=("hw_official", "hw_unverified", "hot_wallet", "hw_seed_typed"),
                        may=("exchange_custody",),
                    ),
                ),
            ),
            _TAKES_THE_REST,
        ),
    ),
    "exchange_failure": PathData(
        steps=(
            StepData(text=_("An exchange is hacked or runs out of money.")),
            StepData(
                text=_("Withdrawals stop. What you keep there is stuck, for years or for good."),
                gates=(GateData(question="hot_cold_split", limits=("cold_90", "mostly_cold", "all_hot")),),
            ),
        ),
        beyond=_("No answer of yours stops such a theft. What counts is how much you keep at one company."),
    ),
    "data_leak": PathData(
        steps=(
            StepData(text=_("A company where you are a customer loses your name, address and balance.")),
            StepData(
                text=_("Impostors who know all that call or write to you."),
                gates=(
                    GateData(question="phishing_support", stops=("hang_up_verify",), may=("usually_check",)),
                ),
            ),
            StepData(text=_("You do what they ask."), gates=(_PLAN,)),
        ),
        beyond=_("The leak itself is out of your hands: give companies no more data than they need."),
    ),
    "wrench_attack": PathData(
        steps=(
            StepData(
                text=_(
                    "Robbers choose somebody of whom it is known, or said, that there is something to take."
                ),
                gates=(
                    GateData(
                        question="privacy_inheritance", may=("full_plan", "duress_only", "private_no_plan")
                    ),
                ),
            ),
            StepData(
                text=_("They force you to send what you can send."),
                gates=(
                    GateData(question="privacy_inheritance", limits=("full_plan", "duress_only")),
                    _SPLIT,
                ),
            ),
        ),
        beyond=_("If you are ever threatened, comply: your life comes first. Prepare before, not during."),
    ),
    "physical_theft": PathData(
        steps=(
            StepData(
                text=_("A burglar takes the device and the papers from your home."),
                gates=(
                    GateData(
                        question="seed_storage",
                        stops=("no_seed",),
                        may=("metal", "paper_safe", "password_manager", "photo_device", "cloud_notes"),
                    ),
                ),
            ),
            StepData(
                text=_("You move the coins with a second copy before the burglar does."),
                gates=(
                    GateData(
                        question="seed_backup", stops=("two_sites_tested",), may=("two_sites_untested",)
                    ),
                ),
            ),
        ),
    ),
    "lost_backup": PathData(
        theft=False,
        steps=(
            StepData(
                text=_("A fire, a flood or a move takes the place where the words are kept."),
                gates=(GateData(question="seed_storage", stops=("no_seed",), may=("metal",)),),
            ),
            StepData(
                text=_("You need another copy, and it has to be right."),
                gates=(
                    GateData(
                        question="seed_backup",
                        stops=("two_sites_tested",),
                        may=("two_sites_untested", "passphrase_memory"),
                    ),
                ),
            ),
        ),
    ),
    "lost_passphrase": PathData(
        theft=False,
        steps=(
            StepData(
                text=_("After years you have to restore, and the passphrase was written nowhere."),
                gates=(
                    GateData(
                        question="seed_backup",
                        stops=("two_sites_tested", "no_seed"),
                        may=("two_sites_untested", "single_copy", "no_backup"),
                    ),
                ),
            ),
        ),
    ),
    "inheritance_failure": PathData(
        theft=False,
        steps=(
            StepData(text=_("One day you can no longer act yourself.")),
            StepData(
                text=_("Your family looks for what you left, and for the way in."),
                gates=(
                    GateData(
                        question="privacy_inheritance",
                        stops=("full_plan", "inherit_only"),
                        may=("known_holder",),
                    ),
                ),
            ),
        ),
    ),
}

# Cases that went another way than most of their kind.
PATH_OF_CASE: dict[str, str] = {
    "trust-wallet-extension-2025": "wallet_software_breach",  # the wallet's own update, not a stranger's
}
