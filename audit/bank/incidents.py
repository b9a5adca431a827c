"""The case library: documented incidents of 2023-2026 behind the weaknesses in the bank.

Figures, dates and links come from the sources listed with each case; a figure that is an estimate,
a range or was paid back says so in ``note``. English texts are gettext message ids, as in ``bank.py``.
"""

from django.utils.translation import gettext_noop as _

from audit.bank.questions import IncidentData

# The victims of a case that counts many thefts at once.
COMBINED = _("Individual users (combined figures)")

VECTORS: dict[str, str] = {
    "address_poisoning": _("Address poisoning: a look-alike planted in the history"),
    "drainer_signature": _("Wallet drainer on a phishing page"),
    "permit_phishing": _("Permit signature phishing"),
    "stale_approval": _("Old, forgotten approval"),
    "unlimited_approval": _("Unlimited approval to an app with a flaw"),
    "blind_signing": _("Signing an unreadable or masked transaction"),
    "supply_chain": _("Poisoned software component"),
    "frontend_hijack": _("Hijacked website or domain"),
    "malicious_extension": _("Malicious browser or editor extension"),
    "malware": _("Stealer or remote-access malware"),
    "clipper_malware": _("Clipboard address swapper"),
    "fake_app": _("Counterfeit wallet app"),
    "fake_support": _("Fake support and social engineering"),
    "sim_swap": _("SIM swap"),
    "mfa_bypass": _("Second factor phished or synced away"),
    "credential_reuse": _("Leaked or reused passwords"),
    "vault_breach": _("Stolen password-manager vault"),
    "seed_exposure": _("Seed phrase photographed or read by malware"),
    "tampered_hardware": _("Hardware wallet set up by someone else"),
    "wallet_software_breach": _("Wallet software compromised"),
    "custodial_bot": _("Bot or service that holds users' keys"),
    "exchange_failure": _("Exchange hacked or frozen"),
    "data_leak": _("Customer data leak"),
    "wrench_attack": _("Robbery or physical coercion"),
    "physical_theft": _("Burglary"),
    "lost_backup": _("Backup lost or destroyed"),
    "lost_passphrase": _("Forgotten passphrase"),
    "inheritance_failure": _("Heirs without access"),
    "aggregate": _("Statistics"),
}

INCIDENTS: tuple[IncidentData, ...] = (
    IncidentData(
        slug="scamsniffer-2023",
        name=_("Wallet drainers in 2023"),
        date="2023",
        victims=COMBINED,
        loss_usd=295_000_000,
        vector="drainer_signature",
        what_happened=_(
            "Scam Sniffer counted nearly $295M taken by wallet drainers from about 324,000 victims in 2023; "
            "single-day peaks followed fake Circle pages and hacked project Discords."
        ),
        lesson=_(
            "Treat every 'claim', 'verify' or 'airdrop' page reached from a link as hostile, and use an "
            "empty wallet for it."
        ),
        weaknesses=("token_approvals.never_checked", "phishing_support.click_links"),
        sources=(
            "https://technicalterrence.com/crypto/nft/crypto-phishing-scams-decimate-300-million-from-users-in-2023-key-insights-revealed",
            "https://www.fxstreet.com/cryptocurrencies/news/lack-of-awareness-cost-crypto-users-nearly-300-million-in-2023-to-phishing-scams-202401031354",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="ledger-passphrase-2023",
        name=_("Forgotten BIP39 passphrase on a Ledger"),
        date="2023-03",
        victims=_("One person"),
        loss_usd=None,
        vector="lost_passphrase",
        what_happened=_(
            "A Ledger Nano S owner who still had the 24 words could not reach his bitcoin because the "
            "additional passphrase was forgotten. CustodyStress lists more than 400 passphrase cases; access "
            "was blocked or constrained in 73 percent of those with a known outcome."
        ),
        lesson=_("Write the passphrase down, store it apart from the seed, and rehearse a full restore."),
        weaknesses=("seed_backup.passphrase_memory",),
        sources=("https://custodystress.com/cases/dependency/passphrase-dependency/page/3",),
        confirmed=True,
    ),
    IncidentData(
        slug="atomic-wallet-2023",
        name=_("Atomic Wallet mass compromise"),
        date="2023-06-03",
        victims=_("Individual users"),
        loss_usd=100_000_000,
        vector="wallet_software_breach",
        what_happened=_(
            "About 5,500 users of the self-custody app Atomic Wallet were drained of over $100M on several "
            "chains at once; Elliptic attributed it to Lazarus and the cause was never fully disclosed."
        ),
        lesson=_(
            "A software wallet is only as safe as its update channel: keep savings on keys created in "
            "hardware."
        ),
        weaknesses=("hardware_wallet.hot_wallet", "hot_cold_split.all_hot"),
        sources=(
            "https://www.blockchainbreaches.com/en/breaches/atomic-wallet-2023",
            "https://knaken.eu/academy/blog/north-korean-hackers-steal-over-100-million-from-atomic-wallet-users",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="retool-fortress-2023",
        name=_("Retool and Fortress Trust: synced authenticator codes"),
        date="2023-08-27",
        victims=_("A company and its clients"),
        loss_usd=15_000_000,
        vector="mfa_bypass",
        what_happened=_(
            "A Retool employee phished by SMS gave up one code. Because Google Authenticator synced to the "
            "cloud, the Google account yielded all other codes; 27 crypto customers were taken over and "
            "about $15M was stolen from Fortress Trust."
        ),
        lesson=_(
            "Turn off cloud sync of one-time codes, or better, replace them with passkeys or hardware keys."
        ),
        weaknesses=("account_2fa.totp_cloud", "phishing_support.remote_or_code"),
        sources=("https://cryptonews.net/news/security/25453625/", "https://retool.com/blog/mfa-isnt-mfa"),
        confirmed=True,
    ),
    IncidentData(
        slug="vitalik-simswap-2023",
        name=_("Vitalik Buterin's X account SIM-swapped"),
        date="2023-09-09",
        victims=_("A public figure and his followers"),
        loss_usd=700_000,
        vector="sim_swap",
        what_happened=_(
            "Attackers tricked T-Mobile into handing over Buterin's number and reset his X password, "
            "although SMS was not his 2FA. Followers lost close to $700,000 to a fake NFT link with a "
            "drainer."
        ),
        lesson=_(
            "A phone number on the account is enough for a reset: delete it, do not just switch the type of "
            "2FA."
        ),
        weaknesses=("sim_protection.unused_no_lock", "phishing_support.click_links"),
        sources=(
            "https://chainbulletin.com/vitalik-says-x-account-hacked-via-sim-swap",
            "https://fullycrypto.com/vitalik-buterin-suffered-sim-swap-attack",
        ),
        confirmed=True,
        note=_("The sources say 'over $650,000' and 'close to $700,000', lost by followers."),
    ),
    IncidentData(
        slug="friendtech-simswap-2023",
        name=_("Friend.tech SIM-swap wave"),
        date="2023-10-04",
        victims=_("Individual users"),
        loss_usd=385_000,
        vector="sim_swap",
        what_happened=_(
            "One scammer took 234 ETH (about $385,000) in 24 hours by SIM-swapping four Friend.tech users "
            "whose wallets were tied to phone numbers. One victim's number was moved at an Apple Store."
        ),
        lesson=_("Remove the phone number as login and recovery everywhere, and lock it at the carrier."),
        weaknesses=("account_2fa.sms", "sim_protection.recovery_no_lock", "sim_protection.public_recovery"),
        sources=(
            "https://unchainedcrypto.com/friend-tech-sim-swap-hacker-steals-385000-eth",
            "https://decrypt.co/200274/friend-tech-users-robbed-385000-ethereum-yesterday?amp=1",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="inferno-drainer-2023",
        name=_("Inferno Drainer (first run)"),
        date="2023-11",
        victims=COMBINED,
        loss_usd=81_000_000,
        vector="drainer_signature",
        what_happened=_(
            "The drainer-as-a-service took over $81M from 134,000 victims in under ten months of 2023 "
            "through fake project sites, keeping a cut of the loot, before announcing a shutdown in November "
            "2023."
        ),
        lesson=_(
            "Reach a site through your own bookmark, not through an ad or a Discord post, before you connect "
            "a wallet."
        ),
        weaknesses=("token_approvals.never_checked", "phishing_support.click_links"),
        sources=(
            "https://www.fxstreet.com/cryptocurrencies/news/lack-of-awareness-cost-crypto-users-nearly-300-million-in-2023-to-phishing-scams-202401031354",
        ),
        confirmed=True,
        note=_(
            "Totals differ: Scam Sniffer counted $81M from 134,000 victims for 2023; later dashboards show "
            "$215M from over 200,000 victims for all time by September 2024."
        ),
    ),
    IncidentData(
        slug="ledger-connect-kit-2023",
        name=_("Ledger Connect Kit supply-chain attack"),
        date="2023-12-14",
        victims=_("Individual users"),
        loss_usd=610_000,
        vector="supply_chain",
        what_happened=_(
            "A former employee's phished npm access was used to publish a drainer inside Ledger Connect Kit "
            "1.1.5 to 1.1.7. For about two hours any dApp loading it, even revoke.cash, could drain users; "
            "reports put the theft at $484,000 to $610,000."
        ),
        lesson=_(
            "A trusted site can turn hostile for an hour: verify what the device shows and keep large funds "
            "in a wallet that never connects."
        ),
        weaknesses=("tx_verification.blind", "hot_cold_split.half_half"),
        sources=(
            "https://www.ledger.com/blog/security-incident-report",
            "https://bitcoinsnews.com/inside-the-ledger-connect-kit-supply-chain-attack-how-a-compromised-npm-package-drained-484k-from-defi-users-72826",
        ),
        confirmed=True,
        note=_("Reports of the loss range from $484,000 to $610,000; the figure shown is the upper end."),
    ),
    IncidentData(
        slug="scamsniffer-2024",
        name=_("Wallet drainers in 2024"),
        date="2024",
        victims=COMBINED,
        loss_usd=494_000_000,
        vector="drainer_signature",
        what_happened=_(
            "Scam Sniffer estimated $494M lost to wallet drainers from 332,000 addresses in 2024, up 67 "
            "percent in value. The largest single theft was $55.5M, and 30 cases exceeded $1M."
        ),
        lesson=_(
            "Read every signature request as if it were a withdrawal, and keep savings in a wallet that "
            "never connects to sites."
        ),
        weaknesses=("token_approvals.never_checked", "token_approvals.sign_permits"),
        sources=("https://www.infosecurity-magazine.com/news/scammers-drain-500m-crypto-wallets/",),
        confirmed=True,
    ),
    IncidentData(
        slug="ic3-2024",
        name=_("Crypto complaints to the FBI in 2024"),
        date="2024",
        victims=COMBINED,
        loss_usd=9_300_000_000,
        vector="aggregate",
        what_happened=_(
            "The FBI received 149,686 crypto-related complaints for 2024 with $9.3B lost, up 66 percent. "
            "Investment scams took $5.8B, and people over 60 lost $2.84B."
        ),
        lesson=_(
            "Fraud works by talking people into a transfer: slow down and verify through a second channel."
        ),
        weaknesses=("phishing_support.usually_check",),
        sources=(
            "https://www.ic3.gov/AnnualReport/Reports/2024_IC3Report.pdf",
            "https://www.theblock.co/post/351746/fbi-says-americans-over-60-lost-nearly-3-billion-to-crypto-scams-in-2024",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="heir-coinbase-2024",
        name=_("Heir finds 2 BTC six years later by accident"),
        date="2024",
        victims=_("A family"),
        loss_usd=None,
        vector="inheritance_failure",
        what_happened=_(
            "In early 2024 an heir searching a deceased relative's email found a Coinbase receipt from three "
            "days before the death in 2018 and recovered 2 BTC. Nobody had known that the account existed."
        ),
        lesson=_(
            "Leave a list of where assets exist: secrecy from robbers must not become secrecy from heirs."
        ),
        weaknesses=("privacy_inheritance.duress_only", "privacy_inheritance.private_no_plan"),
        sources=("https://custodystress.com/cases/documentation/partial/stress/owner-death/page/2",),
        confirmed=True,
        note=_("The coins were recovered; the case shows how long they were out of reach."),
    ),
    IncidentData(
        slug="lastpass-larsen-2024",
        name=_("$150M XRP theft traced to LastPass"),
        date="2024-01",
        victims=_("One person"),
        loss_usd=150_000_000,
        vector="vault_breach",
        what_happened=_(
            "283M XRP (about $150M) was stolen from Ripple co-founder Chris Larsen. A US forfeiture "
            "complaint of March 2025 says his keys had been stored in LastPass, whose encrypted vaults were "
            "stolen in 2022."
        ),
        lesson=_(
            "Do not keep a seed or private key in an online password manager; if you did, move the coins to "
            "a new seed."
        ),
        weaknesses=("seed_storage.password_manager", "password_hygiene.pm_weak_master"),
        sources=(
            "https://krebsonsecurity.com/2025/03/feds-link-150m-cyberheist-to-2022-lastpass-hacks/",
            "https://financialdigest.top/en/feds-link-150m-crypto-heist-to-2022-lastpass-breach",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="sec-x-simswap-2024",
        name=_("The SEC's X account taken by SIM swap"),
        date="2024-01-09",
        victims=_("A public institution and the market"),
        loss_usd=None,
        vector="sim_swap",
        what_happened=_(
            "With a forged ID made from leaked personal data, Eric Council Jr. had a victim's number moved "
            "to a new SIM in a shop, and the group took over the SEC's X account to fake a bitcoin ETF "
            "approval. Bitcoin jumped about $1,000 and fell over $2,000. He got 14 months in May 2025."
        ),
        lesson=_(
            "A shop clerk looking at a fake ID may be the whole defense of your number: remove it from every "
            "account and lock it."
        ),
        weaknesses=(
            "sim_protection.recovery_no_lock",
            "sim_protection.unused_no_lock",
            "sim_protection.public_recovery",
        ),
        sources=(
            "https://securityonline.info/crypto-crash-alabama-man-sentenced-for-hijacking-secs-x-account/",
            "https://decrypt.co/286910/fbi-arrest-sec-twitter-hack-bitcoin-etfs?amp=1",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="texas-burglary-2024",
        name=_("100 BTC hardware wallet stolen in a burglary"),
        date="2024-02",
        victims=_("One person"),
        loss_usd=5_000_000,
        vector="physical_theft",
        what_happened=_(
            "When phishing had failed, a member of the ring behind more than $250M of crypto thefts broke "
            "into a Texas home and took a hardware wallet holding about 100 BTC (over $5M then). He was "
            "sentenced to 78 months."
        ),
        lesson=_(
            "Do not keep device, PIN and seed in one house: a single break-in then reaches all of them."
        ),
        weaknesses=("seed_storage.paper_home", "seed_backup.single_copy"),
        sources=(
            "https://www.justice.gov/usao-dc/pr/gothferrari-sentenced-78-months-prison-role-massive-cryptocurrency-heist",
            "https://thechainjournal.org/hardware-wallet-theft/",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="wbtc-address-poisoning-2024",
        name=_("$68M WBTC address poisoning"),
        date="2024-05-03",
        victims=_("One person"),
        loss_usd=68_000_000,
        vector="address_poisoning",
        what_happened=_(
            "A holder sent 1,155 WBTC (about $68M to $70M) to a look-alike address planted in their "
            "transaction history after a 0.05 ETH test transfer; the fake matched the first and last "
            "characters. After negotiation on-chain the funds were returned within about a week."
        ),
        lesson=_(
            "Never copy a destination from history: use a saved address book or whitelist and compare the "
            "whole address on the device screen."
        ),
        weaknesses=("tx_verification.first_last", "tx_verification.history_copy"),
        sources=(
            "https://unchainedcrypto.com/68-million-stolen-in-dust-attack-returned-to-victim",
            "https://www.chainalysis.com/blog/address-poisoning-scam/",
        ),
        confirmed=True,
        note=_("Not a net loss: in this rare case the money came back."),
    ),
    IncidentData(
        slug="aggr-extension-2024",
        name=_("Aggr extension: Binance account emptied despite 2FA"),
        date="2024-05-24",
        victims=_("One person"),
        loss_usd=1_000_000,
        vector="malicious_extension",
        what_happened=_(
            "A Chrome extension promoted by an influencer stole session cookies. Without the password or a "
            "2FA code the attacker emptied a Binance account of about $1M through counter-trades."
        ),
        lesson=_(
            "For exchanges use a clean browser without extensions, log out, and whitelist withdrawals: 2FA "
            "does not protect a stolen session."
        ),
        weaknesses=("device_hygiene.daily_mixed",),
        sources=(
            "https://support.token.im/hc/en-us/articles/33409839387033-Beware-of-Malicious-Chrome-Extensions-and-AI-Video-Scams-Security-Monthly-Report-27th-Issue",
            "https://binance.com/en-JP/square/post/2024-06-03-100-8975711103954",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="wazirx-2024",
        name=_("WazirX hack: customers frozen"),
        date="2024-07-18",
        victims=_("Exchange customers"),
        loss_usd=235_000_000,
        vector="exchange_failure",
        what_happened=_(
            "Signers of WazirX's multisig approved a manipulated transaction, and about $235M, close to half "
            "the reserves, was stolen. Withdrawals stopped, and some 15 million users waited through a court "
            "restructuring with claims fixed at July 2024 prices."
        ),
        lesson=_("An exchange balance is a claim: withdraw what you do not trade and spread the rest."),
        weaknesses=(
            "hot_cold_split.all_exchange",
            "hardware_wallet.exchange_custody",
            "tx_verification.simulate_only",
        ),
        sources=(
            "https://databiztimes.com/will-wazirx-users-get-back-their-money-know-the-details",
            "https://www.assam247.com/articles/wazirx-hack-2025-when-will-customer-assets-be-returned",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="genesis-creditor-243m-2024",
        name=_("$243M Genesis creditor theft"),
        date="2024-08-19",
        victims=_("One person"),
        loss_usd=243_000_000,
        vector="fake_support",
        what_happened=_(
            "Callers posing as Google and Gemini support got a creditor to reset 2FA and to share the screen "
            "through AnyDesk, which exposed Bitcoin Core private keys. Over 4,100 BTC (about $243M) was "
            "taken."
        ),
        lesson=_(
            "Hang up on every inbound 'support' call; never install remote-control tools or read out codes."
        ),
        weaknesses=("phishing_support.remote_or_code", "hardware_wallet.hot_wallet"),
        sources=(
            "https://crispybull.com/230m-bitcoin-heist-genesis-creditor-victim-of-social-engineering",
            "https://coinfeedback.io/investigation-uncovers-243-million-cryptocurrency-heist-two-arrested/",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="dai-dsproxy-2024",
        name=_("$55M DAI ownership-transfer phishing"),
        date="2024-08-20",
        victims=_("One person"),
        loss_usd=55_470_000,
        vector="blind_signing",
        what_happened=_(
            "A large holder signed an unknown transaction that changed the owner of their Maker position "
            "(DSProxy) to a phishing address and lost 55.47M DAI. CertiK linked it to Inferno Drainer."
        ),
        lesson=_("If you cannot read what a transaction changes (owner, spender, amount), do not sign it."),
        weaknesses=("tx_verification.blind",),
        sources=(
            "https://cointab.com/?p=5807",
            "https://deythere.com/crypto-whale-loses-55-4m-in-dai-stablecoin-to-devastating-phishing-attack",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="spweth-permit-2024",
        name=_("$32M spWETH phishing"),
        date="2024-09-28",
        victims=_("One person"),
        loss_usd=32_400_000,
        vector="permit_phishing",
        what_happened=_(
            "A large holder lost 12,083 spWETH (about $32.4M) on Spark after signing a malicious request "
            "served through Inferno Drainer."
        ),
        lesson=_(
            "Sign for large DeFi positions only from a dedicated wallet and device, with transaction "
            "simulation on."
        ),
        weaknesses=("token_approvals.sign_permits", "hot_cold_split.all_hot"),
        sources=(
            "https://centbit.online/2024/09/29/crypto-whale-loses-32-million-in-phishing-attack-through-inferno-drainer-software",
            "https://coingabbar.com/en/crypto-currency-news/crypto-whale-loses-32-million-in-defi-phishing-attack",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="krebs-griffin-2024",
        name=_("Google prompt scam: nearly $500,000 gone"),
        date="2024-12",
        victims=_("One person"),
        loss_usd=500_000,
        vector="fake_support",
        what_happened=_(
            "KrebsOnSecurity told how a caller, using a real Google number and alerts sent from google.com, "
            "got Adam Griffin to tap 'yes' on a Google prompt and hand over his Gmail. He lost nearly "
            "$500,000 in crypto; a second victim, Tony, was hit the same way."
        ),
        lesson=_(
            "Hang up on calls from 'Google', put the email behind a passkey or hardware key, and keep "
            "nothing about crypto in that account."
        ),
        weaknesses=(
            "phishing_support.remote_or_code",
            "phishing_support.usually_check",
            "account_2fa.totp_local",
        ),
        sources=("https://krebsonsecurity.com/2024/12/how-to-lose-a-fortune-with-just-one-bad-click/",),
        confirmed=True,
        note=_("The date is that of the report, December 18, 2024."),
    ),
    IncidentData(
        slug="scamsniffer-2025",
        name=_("Wallet drainers in 2025"),
        date="2025",
        victims=COMBINED,
        loss_usd=83_850_000,
        vector="drainer_signature",
        what_happened=_(
            "Scam Sniffer put the losses to signature phishing in 2025 at $83.85M across 106,106 victims, "
            "down 83 percent from 2024. Permit stayed the dominant signature, and the largest theft was "
            "$6.5M in September."
        ),
        lesson=_(
            "Refuse Permit and Permit2 signatures that you did not start, and give every approval an expiry "
            "and an exact amount."
        ),
        weaknesses=("token_approvals.sign_permits", "token_approvals.never_checked"),
        sources=(
            "https://drops.scamsniffer.io/scam-sniffer-2025-crypto-phishing-losses-fall-83-to-84-million",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="sparkcat-2025",
        name=_("SparkCat and SparkKitty: malware that reads photos"),
        date="2025",
        victims=_("Phone users"),
        loss_usd=None,
        vector="seed_exposure",
        what_happened=_(
            "Kaspersky found apps in both Google Play (over 242,000 downloads) and the App Store that ran "
            "text recognition over the photo gallery to find seed phrase screenshots. SparkKitty (June 2025) "
            "uploaded whole galleries, and a renewed SparkCat later came back to both stores."
        ),
        lesson=_(
            "Move the coins of any photographed seed to a new one, then delete the photo, the trash folder "
            "and the cloud copy."
        ),
        weaknesses=("seed_storage.photo_device", "device_hygiene.risky_installs"),
        sources=(
            "https://securelist.com/sparkcat-stealer-in-app-store-and-google-play/115385/",
            "https://cyber.netsecops.io/articles/sparkcat-malware-resurfaces-on-app-stores-stealing-crypto-wallet-phrases",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="ic3-2025",
        name=_("Crypto complaints to the FBI in 2025"),
        date="2025",
        victims=COMBINED,
        loss_usd=11_366_000_000,
        vector="aggregate",
        what_happened=_(
            "The FBI's 2025 report counts $11.366B of crypto-related fraud in 181,565 complaints, 22 percent "
            "more than the year before. Victims over 60 lost $4.4B, and crypto investment fraud took $7.2B."
        ),
        lesson=_("Agree on a family rule: no transfer on the day of the call."),
        weaknesses=("phishing_support.usually_check", "phishing_support.remote_or_code"),
        sources=(
            "https://scamwatchhq.com/fbi-ic3-2025-cybercrime-20-billion-record-losses/",
            "https://archive.orkl.eu/08e9e0ad5443356d56daf1ac7bff52dbb538463f.json",
        ),
        confirmed=True,
        note=_("The second source is an archived copy of the FBI's 2025 Internet Crime Report itself."),
    ),
    IncidentData(
        slug="chainalysis-personal-wallets-2025",
        name=_("Personal wallet compromises in 2025"),
        date="2025",
        victims=COMBINED,
        loss_usd=713_000_000,
        vector="aggregate",
        what_happened=_(
            "Chainalysis attributes about $713M, 20 percent of the $3.4B stolen in 2025, to compromises of "
            "personal wallets."
        ),
        lesson=_(
            "Individuals bear a fifth of all stolen value: keep what is exposed to one click as small as you "
            "can."
        ),
        weaknesses=("hot_cold_split.all_hot", "hot_cold_split.mostly_cold"),
        sources=("https://www.chainalysis.com/blog/crypto-hacking-stolen-funds-2026/",),
        confirmed=True,
    ),
    IncidentData(
        slug="la-wildfire-seed-2025",
        name=_("Only seed copy burned in the Los Angeles fires"),
        date="2025-01",
        victims=_("One person"),
        loss_usd=None,
        vector="lost_backup",
        what_happened=_(
            "A 70-year-old woman's only record of her wallet key was one sheet of paper in a desk drawer. It "
            "burned with her house in the January 2025 fires, and her retirement savings became unreachable."
        ),
        lesson=_("Keep at least two backups in two places, one of them on metal."),
        weaknesses=("seed_storage.paper_home", "seed_backup.single_copy"),
        sources=("https://custodystress.com/cases/seed-unavailable-mobile-software-wallet-2025-c85b",),
        confirmed=True,
        note=_("Told second-hand by a relative on Reddit; listed by CustodyStress as CS-00736."),
    ),
    IncidentData(
        slug="bybit-2025",
        name=_("Bybit: attack through the Safe{Wallet} interface"),
        date="2025-02-21",
        victims=_("An exchange"),
        loss_usd=1_460_000_000,
        vector="blind_signing",
        what_happened=_(
            "Attackers injected JavaScript into the Safe{Wallet} web interface. Bybit's signers, using "
            "hardware wallets, saw a normal transfer but approved a contract change that cost about 401,347 "
            "ETH (about $1.46B). Analysts attribute it to North Korea's Lazarus group."
        ),
        lesson=_(
            "A screen you did not verify independently can lie: compare the data on the signing device, and "
            "do not leave all savings on one exchange."
        ),
        weaknesses=(
            "tx_verification.blind",
            "tx_verification.simulate_only",
            "hot_cold_split.all_exchange",
            "hardware_wallet.exchange_custody",
        ),
        sources=(
            "https://bitcoinsnews.com/how-the-bybit-hack-exploited-smart-contract-blind-signing-a-forensic-breakdown-of-the-1-46-billion-theft-71776",
            "https://www.ic3.gov/PSA/2025/PSA250226",
        ),
        confirmed=True,
        note=_("Bybit covered its customers' balances; the loss was the exchange's."),
    ),
    IncidentData(
        slug="amouranth-2025",
        name=_("Streamer robbed after posting a wallet screenshot"),
        date="2025-03-02",
        victims=_("One person"),
        loss_usd=None,
        vector="wrench_attack",
        what_happened=_(
            "Streamer Amouranth, who had posted a screenshot of a $20M bitcoin wallet, suffered an armed "
            "home invasion in Houston. The attackers were driven off."
        ),
        lesson=_("Never publish balances, addresses or screenshots linked to your name."),
        weaknesses=("privacy_inheritance.known_holder",),
        sources=("https://github.com/jlopp/physical-bitcoin-attacks",),
        confirmed=True,
    ),
    IncidentData(
        slug="tmobile-33m-award-2025",
        name=_("T-Mobile pays $33M over a SIM swap"),
        date="2025-03-20",
        victims=_("One person"),
        loss_usd=38_000_000,
        vector="sim_swap",
        what_happened=_(
            "T-Mobile paid a $33M arbitration award over a 2020 SIM swap in which a customer lost about $38M "
            "in BTC and BCH although an eight-digit account PIN was set."
        ),
        lesson=_(
            "A carrier PIN helps but is no guarantee: no account should be recoverable by phone number."
        ),
        weaknesses=("sim_protection.port_lock", "account_2fa.sms"),
        sources=(
            "https://tmonews.com/2025/03/t-mobile-ordered-to-pay-33m-after-sim-swap-hack-leads-to-38m-crypto-theft",
            "https://techvop.com/t-mobile-pays-33-million-over-sim-swap-crypto-theft-scandal",
        ),
        confirmed=True,
        note=_(
            "The theft was in February 2020; the award became known in March 2025. $38M is the theft, not "
            "the award."
        ),
    ),
    IncidentData(
        slug="elderly-330m-2025",
        name=_("$330M in bitcoin taken from an elderly holder"),
        date="2025-04-28",
        victims=_("One person"),
        loss_usd=330_700_000,
        vector="fake_support",
        what_happened=_(
            "An elderly US holder since 2017 lost 3,520 BTC (about $330.7M) to a phone scam run from call "
            "centers. Most was swapped to Monero, and about $7M was frozen."
        ),
        lesson=_(
            "Use a multisig with a second person or a time delay, so that one manipulated phone call cannot "
            "move everything."
        ),
        weaknesses=("phishing_support.remote_or_code", "phishing_support.would_give_seed"),
        sources=(
            "https://bitbo.io/news/stolen-bitcoin-zachxbt-binance",
            "https://cryptodnes.bg/en/330m-bitcoin-heist-traced-to-social-engineering-scam-targeting-u-s-senior",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="inferno-drainer-reloaded-2025",
        name=_("Inferno Drainer is back"),
        date="2025-05",
        victims=COMBINED,
        loss_usd=9_000_000,
        vector="drainer_signature",
        what_happened=_(
            "Check Point Research found the 'closed' Inferno Drainer still active: over $9M from more than "
            "30,000 wallets in six months, through a fake Collab.Land verification page reached from Discord "
            "and single-use contracts that evade blocklists."
        ),
        lesson=_(
            "Discord verification never needs a transaction signature from your main wallet: use an empty "
            "one."
        ),
        weaknesses=("token_approvals.never_checked", "phishing_support.click_links"),
        sources=(
            "https://research.checkpoint.com/2025/inferno-drainer-reloaded-deep-dive-into-the-return-of-the-most-sophisticated-crypto-drainer/",
            "https://techfromthenet.it/2025/05/27/silenzioso-e-pericoloso-il-ritorno-del-malware-inferno-drainer",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="coinbase-insider-2025",
        name=_("Coinbase insider data breach"),
        date="2025-05-15",
        victims=_("Exchange customers"),
        loss_usd=None,
        vector="data_leak",
        what_happened=_(
            "Bribed overseas support agents leaked names, addresses, ID images and balances of 69,461 "
            "Coinbase customers. Impostors then called victims; Coinbase estimated its costs at $180M to "
            "$400M."
        ),
        lesson=_("Assume callers may know your balance and address: knowledge of your data proves nothing."),
        weaknesses=("phishing_support.usually_check", "privacy_inheritance.known_holder"),
        sources=(
            "https://bitbo.io/news/coinbase-insider-phishing-attack",
            "https://www.coinbase.com/blog/protecting-our-customers-standing-up-to-extortionists",
        ),
        confirmed=True,
        note=_("No loss figure is shown: $180M to $400M is Coinbase's own cost estimate, not a stolen sum."),
    ),
    IncidentData(
        slug="douyin-cold-wallet-2025",
        name=_("$6.9M lost through a hardware wallet set up by its seller"),
        date="2025-06",
        victims=_("One person"),
        loss_usd=6_900_000,
        vector="tampered_hardware",
        what_happened=_(
            "An investor bought a discounted 'factory-sealed' cold wallet through Douyin. Its private key "
            "had been created by the seller, and about $6.9M was drained within hours, according to SlowMist."
        ),
        lesson=_("Buy only from the maker, run the genuine-device check and generate a new seed yourself."),
        weaknesses=("hardware_wallet.hw_unverified",),
        sources=(
            "https://btcinsider.pro/market/business/crypto-user-loses-6-9m-to-a-cold-wallet-from-chinas-tiktok",
            "https://definediq.com/crypto-investor-faces-loss-of-6-9-m/amp/?nonamp=1",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="infostealer-16b-2025",
        name=_("16 billion credentials from infostealers"),
        date="2025-06",
        victims=_("Internet users"),
        loss_usd=None,
        vector="credential_reuse",
        what_happened=_(
            "Researchers described some 30 data sets with 16 billion login records, largely from infostealer "
            "malware that reads passwords saved in browsers and session cookies. Such lists are tried "
            "automatically on other sites, crypto exchanges included."
        ),
        lesson=_("Unique passwords in a password manager plus passkeys make such a list worthless."),
        weaknesses=(
            "password_hygiene.reused",
            "password_hygiene.browser_saved",
            "password_hygiene.patterns",
            "account_2fa.none",
        ),
        sources=(
            "https://cybernews.com/security/billions-credentials-exposed-infostealers-data-leak/",
            "https://www.bleepingcomputer.com/news/security/no-the-16-billion-credentials-leak-is-not-a-new-data-breach/",
        ),
        confirmed=True,
        note=_(
            "Exposed data, not a theft with a known amount. Much of it had leaked before: BleepingComputer calls it a "
            "compilation, not a new breach."
        ),
    ),
    IncidentData(
        slug="cursor-solidity-2025",
        name=_("Fake 'Solidity' extension for the Cursor editor"),
        date="2025-07",
        victims=_("One person"),
        loss_usd=500_000,
        vector="malicious_extension",
        what_happened=_(
            "A Russian blockchain developer lost about $500,000 after installing a top-ranked fake 'Solidity "
            "Language' extension that dropped remote-access tools and a wallet stealer, as Kaspersky "
            "reported."
        ),
        lesson=_(
            "Run code, extensions and test tasks on a machine without wallets; download counts can be faked."
        ),
        weaknesses=("device_hygiene.risky_installs", "password_hygiene.browser_saved"),
        sources=(
            "https://www.cyberhub.blog/article/10107-malicious-cursor-ide-extension-leads-to-500k-cryptocurrency-heist-supply-chain-risks-exposed",
            "https://securelist.com/open-source-package-for-cursor-ai-turned-into-a-crypto-heist/116908/",
        ),
        confirmed=True,
        note=_("The sources state the loss; the month is approximate."),
    ),
    IncidentData(
        slug="greedybear-2025",
        name=_("GreedyBear fake wallet extensions"),
        date="2025-08",
        victims=COMBINED,
        loss_usd=1_000_000,
        vector="malicious_extension",
        what_happened=_(
            "Koi Security reported a group that stole over $1M with fake Firefox wallet add-ons (clones of "
            "MetaMask, TronLink and Exodus) that started harmless, gathered good reviews and turned "
            "malicious later."
        ),
        lesson=_(
            "Install a wallet extension only from the link on the wallet's own site and keep the list of "
            "extensions minimal."
        ),
        weaknesses=("device_hygiene.daily_mixed", "hardware_wallet.hot_wallet"),
        sources=(
            "https://dapp.expert/news/en_greedybear-cyber-attack-cryptocurrency-theft-through-fake-extensions-1754650064-960531",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="zak-cole-2025",
        name=_("Ethereum developer drained of only a few hundred dollars"),
        date="2025-08",
        victims=_("One person"),
        loss_usd=None,
        vector="malicious_extension",
        what_happened=_(
            "A fake extension for an AI code editor, with 54,000 downloads, read Ethereum developer Zak "
            "Cole's key from a .env file. He lost only a few hundred dollars because his savings were in "
            "cold storage."
        ),
        lesson=_("A small, separate hot wallet turns a hack into a nuisance."),
        weaknesses=("device_hygiene.separate_profile", "hot_cold_split.mostly_cold"),
        sources=(
            "https://meme-insider.com/en/article/ethereum-exploit-highlights-security-risks-for-meme-token-developers",
            "https://dapp.expert/news/en_coinbase-loses-300000-due-to-a-configuration-error-1755180402-806624",
            "https://marketglimpses.com/news/ethereum-developer-wallet-hack-ai-extension",
        ),
        confirmed=False,
        note=_(
            "A positive example. The victim's own account is the origin of every report; no source names the "
            "exact loss, only 'a few hundred dollars'."
        ),
    ),
    IncidentData(
        slug="approval-458-days-2025",
        name=_("$908,551 drained through a 458-day-old approval"),
        date="2025-08-02",
        victims=_("One person"),
        loss_usd=908_551,
        vector="stale_approval",
        what_happened=_(
            "A user approved a malicious contract on April 30, 2024 and forgot it. The attacker waited 458 "
            "days until $908,551 in USDC had arrived, then drained it in one transaction."
        ),
        lesson=_(
            "Most approvals do not expire: review and revoke them monthly, and do not reuse an old wallet "
            "for new savings."
        ),
        weaknesses=("token_approvals.review_rarely", "token_approvals.never_checked"),
        sources=(
            "https://dailydigest360.com/feed/6382425/sophisticated-crypto-phishing-scam-victim-suffers-devastating-908k-loss-highlighting-security-risks",
            "https://cryptouniverse.blog/the-silent-heist-how-a-1-million-phishing-attack-exposed-a-458-day-old-web3-threat",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="npm-chalk-debug-2025",
        name=_("npm packages chalk and debug compromised"),
        date="2025-09-08",
        victims=_("Software users"),
        loss_usd=1_000,
        vector="supply_chain",
        what_happened=_(
            "A phishing mail took an npm maintainer's password and one-time code. 18 packages with 2.6 "
            "billion weekly downloads then silently swapped crypto addresses for look-alikes in browsers. "
            "Known thefts stayed under about $1,000."
        ),
        lesson=_(
            "One-time codes can be phished, and web pages can swap addresses: use passkeys and confirm the "
            "address on a hardware screen."
        ),
        weaknesses=("account_2fa.totp_local", "tx_verification.first_last", "tx_verification.simulate_only"),
        sources=(
            "https://www.ainvest.com/news/npm-attack-wake-call-crypto-security-infrastructure-2509",
            "https://republiklabs.io/?p=6183",
        ),
        confirmed=True,
        note=_("The figure is an upper bound of the known thefts."),
    ),
    IncidentData(
        slug="thorchain-jp-2025",
        name=_("THORChain co-founder: keys in iCloud Keychain"),
        date="2025-09-09",
        victims=_("One person"),
        loss_usd=1_350_000,
        vector="malware",
        what_happened=_(
            "After joining a fake Zoom call sent from a friend's hacked Telegram, THORChain's co-founder "
            "lost about $1.35M from a forgotten MetaMask wallet in an old Chrome profile whose keys sat in "
            "iCloud Keychain. His multisig vault was untouched."
        ),
        lesson=_(
            "Keys synced to a cloud fall with the computer: keep them out of iCloud and Google, and retire "
            "old hot wallets."
        ),
        weaknesses=(
            "seed_storage.cloud_notes",
            "device_hygiene.separate_profile",
            "phishing_support.remote_or_code",
        ),
        sources=(
            "https://coinalertnews.com/news/2025/09/12/9a3896f7f4807fa8bf378d60e7a3dac4",
            "https://techrooms.eu/articles/records/135m-drained-in-thorchain-co-founder-scam-deepfakes-telegram-hacks-and-dprk-links-r212",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="blockblasters-2025",
        name=_("BlockBlasters: wallet drainer inside a Steam game"),
        date="2025-09-21",
        victims=_("Individual users"),
        loss_usd=150_000,
        vector="malware",
        what_happened=_(
            "A free Steam game got a malicious patch a month after launch and drained over $150,000 from "
            "hundreds of players, including $32,000 that a Latvian streamer had raised for cancer treatment."
        ),
        lesson=_("No games, cracks or unknown apps on the computer that opens wallets."),
        weaknesses=("device_hygiene.risky_installs", "hot_cold_split.all_hot"),
        sources=(
            "https://respawn.outlookindia.com/amp/story/gaming/gaming-news/steam-pulls-game-that-drained-150k-from-players",
            "https://mokokil.com/?p=180045",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="sf-delivery-2025",
        name=_("$11M San Francisco home robbery"),
        date="2025-11-22",
        victims=_("One person"),
        loss_usd=11_000_000,
        vector="wrench_attack",
        what_happened=_(
            "A gunman posing as a delivery worker tied up a resident near Mission Dolores and took a phone, "
            "a laptop and about $11M in crypto."
        ),
        lesson=_(
            "If one person at home can move everything in minutes, a robber can have it done: split keys "
            "across places or people."
        ),
        weaknesses=(
            "privacy_inheritance.inherit_only",
            "privacy_inheritance.private_no_plan",
            "hot_cold_split.all_hot",
        ),
        sources=(
            "https://www.thecryptoupdates.com/fake-delivery-driver-steals-11-million-in-crypto-during-home-invasion",
            "https://custodystress.com/cases/coercion-hardware-wallet-singlesig-2025-da97",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="lastpass-trm-2025",
        name=_("Thefts from LastPass vaults, years later"),
        date="2025-12",
        victims=COMBINED,
        loss_usd=35_000_000,
        vector="vault_breach",
        what_happened=_(
            "TRM Labs traced at least $35M in crypto stolen through 2024 and 2025 to LastPass vaults taken "
            "in 2022, including about $7M in September 2025, laundered through Russian exchanges."
        ),
        lesson=_(
            "Use a long, unique master passphrase with 2FA, and assume that any leaked vault will be opened "
            "one day."
        ),
        weaknesses=(
            "password_hygiene.pm_weak_master",
            "seed_storage.password_manager",
            "seed_storage.cloud_notes",
        ),
        sources=(
            "https://www.trmlabs.com/resources/blog/trm-traces-stolen-crypto-from-2022-lastpass-breach-on-chain-indicators-suggest-russian-cybercriminal-involvement",
            "https://industrialpcreport.com/lastpass-breach-fueled-a-35-million-crypto-heist-r-20260105",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="coinbase-spektor-2025",
        name=_("$16M taken by a fake Coinbase support"),
        date="2025-12",
        victims=_("Individual users"),
        loss_usd=16_000_000,
        vector="fake_support",
        what_happened=_(
            "A 23-year-old from Brooklyn was charged with posing as Coinbase support between April 2023 and "
            "December 2024 and persuading about 100 users to move some $16M to 'safe' wallets that he "
            "controlled."
        ),
        lesson=_("An exchange never asks you to move coins to a new wallet for safety."),
        weaknesses=("phishing_support.would_give_seed", "phishing_support.usually_check"),
        sources=(
            "https://www.spyhash.com/market-analysis/phishing-scheme-nets-16m-from-coinbase-users-exposing-crypto-security-gaps",
            "https://phemex.com/de/news/article/brooklyn-man-charged-with-16m-crypto-theft-from-coinbase-users-46740",
        ),
        confirmed=True,
        note=_("These are charges in an indictment of December 2025, not a conviction."),
    ),
    IncidentData(
        slug="usdt-address-poisoning-2025",
        name=_("$50M USDT address poisoning after a test transfer"),
        date="2025-12-19",
        victims=_("One person"),
        loss_usd=49_999_950,
        vector="address_poisoning",
        what_happened=_(
            "The victim sent a 50 USDT test to the right address. Within minutes a bot planted dust from a "
            "look-alike matching the first and last characters; the victim copied it from history and sent "
            "49,999,950 USDT. The thief swapped to ETH and used Tornado Cash."
        ),
        lesson=_(
            "A test transfer only helps if the second transfer uses the very same saved address, checked in "
            "full."
        ),
        weaknesses=("tx_verification.history_copy", "tx_verification.first_last"),
        sources=(
            "https://www.decentralnetwork.org/news/address-poisoning-scam",
            "https://www.criptolog.com/coin/tether/copy-paste-mistake-sends-50-million-usdt-to-a-scammer-in-massive-address-poisoning-attack/",
        ),
        confirmed=True,
        note=_("The sources date it December 19 or 20, 2025 (time zones)."),
    ),
    IncidentData(
        slug="trust-wallet-extension-2025",
        name=_("Trust Wallet browser extension 2.68"),
        date="2025-12-24",
        victims=_("Individual users"),
        loss_usd=7_000_000,
        vector="malicious_extension",
        what_happened=_(
            "A malicious update (2.68) of the official Trust Wallet Chrome extension sent out wallet "
            "secrets. Hundreds of users lost roughly $7M over Christmas; mobile users were unaffected."
        ),
        lesson=_(
            "Keep only spending money in browser wallets that update themselves; savings belong on a device "
            "the browser cannot update."
        ),
        weaknesses=(
            "hardware_wallet.hot_wallet",
            "device_hygiene.daily_mixed",
            "hot_cold_split.all_hot",
            "hot_cold_split.half_half",
        ),
        sources=(
            "https://www.security.nl/posting/918966/Criminelen+stelen+7+miljoen+dollar+via+gehackte+Trust+Wallet+browser-extensie",
            "https://cybersecurefox.com/en/trust-wallet-chrome-extension-hack-supply-chain-risk",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="custodystress-seed-recorded-lost",
        name=_("Seed written down, then lost (104 archived cases)"),
        date="2026",
        victims=COMBINED,
        loss_usd=None,
        vector="lost_backup",
        what_happened=_(
            "The CustodyStress archive lists 104 cases where a seed was written down at set-up but was gone "
            "or wrong when needed (moves, floods, aging paper, transcription errors). 87 percent of the "
            "cases with a known outcome ended with permanent loss."
        ),
        lesson=_("A backup is real only after a test restore; repeat the check once a year."),
        weaknesses=(
            "seed_backup.two_sites_untested",
            "seed_backup.single_copy",
            "seed_storage.paper_home",
            "seed_storage.paper_safe",
        ),
        sources=(
            "https://custodystress.com/cases/pattern/seed-recorded-lost/page/4",
            "https://custodystress.com/cases/seed-unavailable-mobile-software-wallet-unknown-b053",
        ),
        confirmed=True,
        note=_(
            "The archive covers many years; 2026 is the year the archive was read, not the year of the "
            "losses."
        ),
    ),
    IncidentData(
        slug="custodystress-no-backup",
        name=_("Device lost and no backup (archived cases)"),
        date="2026",
        victims=COMBINED,
        loss_usd=None,
        vector="lost_backup",
        what_happened=_(
            "Of 274 archived hardware-wallet cases with a single key, the 100 that ended in permanent loss "
            "share one factor: no seed backup existed, or it was stored with the device (fires, discarded "
            "devices, hotel losses)."
        ),
        lesson=_(
            "Write the words down today, store them apart from the device, and confirm them with the "
            "wallet's backup check."
        ),
        weaknesses=("seed_backup.no_backup", "seed_backup.single_copy"),
        sources=("https://custodystress.com/cases/hardware-wallet-singlesig/page/10",),
        confirmed=True,
        note=_(
            "The archive covers many years; 2026 is the year the archive was read, not the year of the "
            "losses."
        ),
    ),
    IncidentData(
        slug="address-poisoning-jan-2026",
        name=_("$12.25M address poisoning"),
        date="2026-01",
        victims=_("One person"),
        loss_usd=12_250_000,
        vector="address_poisoning",
        what_happened=_(
            "Scam Sniffer reported one user who copied a wrong address from transaction history and lost "
            "$12.25M, one month after the $50M case."
        ),
        lesson=_("Use whitelisted contacts, and hide zero-value and dust transfers in the wallet."),
        weaknesses=("tx_verification.history_copy",),
        sources=(
            "https://coinsnewsdesk.com/crypto-phishing-attacks-hit-new-record-in-january-2026",
            "https://www.trustformer.info/en/s-articles/article106",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="permit-phishing-jan-2026",
        name=_("Surge of signature phishing"),
        date="2026-01",
        victims=COMBINED,
        loss_usd=6_270_000,
        vector="permit_phishing",
        what_happened=_(
            "Scam Sniffer counted $6.27M stolen from 4,741 victims by signature phishing in January 2026, up "
            "207 percent from December. One permit or increaseAllowance signature alone cost $3.02M."
        ),
        lesson=_(
            "Simulate the signature and look at spender, token and amount; if the wallet cannot show them, "
            "reject."
        ),
        weaknesses=("token_approvals.sign_permits",),
        sources=("https://mycryptoaction.com/crypto-phishing-attacks-hit-new-record-in-january-2026",),
        confirmed=True,
    ),
    IncidentData(
        slug="ledger-globale-2026",
        name=_("Ledger customers' data leaked through Global-e"),
        date="2026-01-05",
        victims=_("Hardware wallet customers"),
        loss_usd=None,
        vector="data_leak",
        what_happened=_(
            "A breach at Ledger's shop partner Global-e exposed names, contact data and order details. "
            "Within days victims got emails about a fake merger of Ledger and Trezor that asked for the 24 "
            "words."
        ),
        lesson=_(
            "Order hardware wallets to a pick-up point with an alias email, and expect phishing that knows "
            "your order."
        ),
        weaknesses=(
            "phishing_support.usually_check",
            "privacy_inheritance.known_holder",
            "phishing_support.click_links",
        ),
        sources=(
            "https://cvj.ai/briefing/crypto-news/ledger-trezor-fake-merger-phishing-scam-targets-crypto-users",
            "https://www.paubox.com/blog/ledger-global-e-breach-exposes-the-risks-of-third-party-cybersecurity",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="trezor-support-282m-2026",
        name=_("$282M taken by a fake Trezor support"),
        date="2026-01-10",
        victims=_("One person"),
        loss_usd=282_000_000,
        vector="fake_support",
        what_happened=_(
            "A single holder lost 1,459 BTC and 2.05M LTC (about $282M) after scammers impersonating Trezor "
            "support got the recovery seed. Funds went to Monero and THORChain."
        ),
        lesson=_(
            "No maker ever needs the seed: end every contact you did not start, and reach support only "
            "through the maker's own site."
        ),
        weaknesses=("phishing_support.would_give_seed", "hardware_wallet.hw_seed_typed"),
        sources=(
            "https://coinalertnews.com/news/2026/01/19/crypto-security-crisis-social-engineering-threats",
            "https://bitcoinsnews.com/the-million-lesson-a-beginners-guide-to-recognizing-and-defeating-hardware-wallet-phishing-77169",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="polycule-bot-2026",
        name=_("Polycule Telegram trading-bot hack"),
        date="2026-01-13",
        victims=_("Individual users"),
        loss_usd=230_000,
        vector="custodial_bot",
        what_happened=_(
            "The Telegram trading bot Polycule, which created users' wallets and kept the private keys on "
            "its server, was hacked for about $230,000. It went offline and promised compensation."
        ),
        lesson=_(
            "A bot that can export your key already holds it: fund it only with what you can lose and "
            "withdraw profits daily."
        ),
        weaknesses=("hardware_wallet.bot_wallet",),
        sources=(
            "https://www.kucoin.com/news/flash/telegram-trading-bot-polycule-on-polymarket-hacked-230k-stolen",
            "https://coinpost.ai/en/topics/79372",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="swapnet-matcha-2026",
        name=_("SwapNet and Matcha Meta: unlimited approvals"),
        date="2026-01-25",
        victims=_("Individual users"),
        loss_usd=13_430_000,
        vector="unlimited_approval",
        what_happened=_(
            "A bug in SwapNet's router let an attacker spend tokens of users who had switched off one-time "
            "approvals on Matcha Meta. The post-mortem counts $13.43M from 18 users, one of them about "
            "$13.34M."
        ),
        lesson=_("Leave one-time or exact approvals on, and revoke any router you no longer use."),
        weaknesses=("token_approvals.unlimited_known",),
        sources=("https://meta.matcha.xyz/SwapNet-Incident-Post-Mortem", "https://defi-planet.com/?p=48880"),
        confirmed=True,
        note=_("Press reported $16.8M, which mixes in a separate $3.4M Aperture Finance incident."),
    ),
    IncidentData(
        slug="korea-nts-seed-photo-2026",
        name=_("Korean tax agency published a seed phrase in a photo"),
        date="2026-02-26",
        victims=_("A government agency"),
        loss_usd=4_800_000,
        vector="seed_exposure",
        what_happened=_(
            "South Korea's National Tax Service released press photos of a seized Ledger with its "
            "handwritten seed phrase readable. Within hours 4M PRTG tokens (nominally $4.8M) were moved."
        ),
        lesson=_("A photo of a seed is the seed: never photograph it, and treat any exposed seed as burned."),
        weaknesses=("seed_storage.photo_device",),
        sources=(
            "https://www.rescana.com/post/south-korean-national-tax-service-exposes-ledger-wallet-seed-leading-to-4-8m-prtg-token-theft",
            "https://aetos.ai/posts/615f553d489bb48",
        ),
        confirmed=True,
        note=_("Nominal value of the tokens."),
    ),
    IncidentData(
        slug="sillytuna-2026",
        name=_("Sillytuna: $24M handed over under violence"),
        date="2026-03-04",
        victims=_("One person"),
        loss_usd=24_000_000,
        vector="wrench_attack",
        what_happened=_(
            "Game developer Sillytuna, publicly known as a holder, reported being violently forced to hand "
            "over almost $24M in crypto."
        ),
        lesson=_("A known holder needs a set-up that cannot be emptied from one place by one person."),
        weaknesses=("privacy_inheritance.known_holder", "privacy_inheritance.inherit_only"),
        sources=("https://github.com/jlopp/physical-bitcoin-attacks",),
        confirmed=True,
        note=_("Reported by the victim; accounts differ on the place."),
    ),
    IncidentData(
        slug="fake-ledger-app-2026",
        name=_("Fake Ledger Live in the Apple App Store"),
        date="2026-04",
        victims=_("Individual users"),
        loss_usd=9_500_000,
        vector="fake_app",
        what_happened=_(
            "A fake Ledger Live app (publisher 'Leva Heal Limited') in Apple's App Store asked users to type "
            "their 24 words. About 50 people lost $9.5M between April 7 and 13, 2026."
        ),
        lesson=_(
            "The seed goes only into the hardware device; install wallet software only from the link on the "
            "maker's own site."
        ),
        weaknesses=("hardware_wallet.hw_seed_typed", "phishing_support.would_give_seed"),
        sources=(
            "https://blofin.com/en/academy/education/verify-wallet-software/",
            "https://fazen.markets/en/ledger-clone-drains-9-5m-apple-app-store",
        ),
        confirmed=True,
    ),
    IncidentData(
        slug="certik-wrench-2026",
        name=_("Wrench attacks in the first four months of 2026"),
        date="2026-04",
        victims=COMBINED,
        loss_usd=101_000_000,
        vector="wrench_attack",
        what_happened=_(
            "CertiK counted 72 wrench attacks with over $40.9M lost in 2025, 75 percent more than the year "
            "before, then 34 more with over $101M lost in the first four months of 2026. 82 percent of those "
            "were in Europe, 24 cases in France; relatives are increasingly the target."
        ),
        lesson=_(
            "Plan for duress: a decoy wallet, keys not at home, a delay or co-signer, and a family code word."
        ),
        weaknesses=(
            "privacy_inheritance.known_holder",
            "privacy_inheritance.inherit_only",
            "privacy_inheritance.private_no_plan",
        ),
        sources=(
            "https://cryptoclashzone.com/if-personal-data-stays-exposed-europes-wrench-attack-surge-wont-be-a-side-story-in-crypto-risk/",
            "https://www.thebitcoinmarkets.com/news/wrench-attacks-surge-75-in-2025-inflicting-41-million-in-losses-certik-report",
        ),
        confirmed=True,
        note=_("The figure covers January to April 2026."),
    ),
    IncidentData(
        slug="cow-swap-dns-2026",
        name=_("CoW Swap DNS hijack"),
        date="2026-04-14",
        victims=_("Individual users"),
        loss_usd=1_200_000,
        vector="frontend_hijack",
        what_happened=_(
            "Forged documents gave attackers control of the cow.fi domain. From 14:54 UTC visitors with a "
            "correct bookmark got a perfect clone, and about $1.0M to $1.2M was drained from wallets that "
            "signed approvals, one losing 219 ETH."
        ),
        lesson=_(
            "A correct address is no proof: refuse unexpected approvals, use simulation and exact amounts, "
            "and revoke after any alert about a site."
        ),
        weaknesses=(
            "tx_verification.blind",
            "token_approvals.unlimited_known",
            "tx_verification.simulate_only",
        ),
        sources=(
            "https://on3x.io/en/news/cow-swap-loses-12-million-in-dns-hijacking-the-smart-contract-was-secure-the-registrars-attendant-wasnt",
            "https://www.namepros.com/threads/cow-swap-dns-hijacking-what-went-wrong-and-how-monitoring-could-have-helped.1384589/",
        ),
        confirmed=True,
        note=_("Estimates of the loss range from about $0.5M to $1.2M."),
    ),
    IncidentData(
        slug="ms-usb-clipper-2026",
        name=_("Crypto clipper spread by USB sticks"),
        date="2026-06",
        victims=_("Windows users"),
        loss_usd=None,
        vector="clipper_malware",
        what_happened=_(
            "Microsoft described Trojan:Win32/CryptoBandits, spreading since February 2026 through .lnk "
            "files on USB sticks. It reads the clipboard about every 500 ms, swaps Bitcoin, Tron and Monero "
            "addresses, and sends seeds and screenshots out over Tor."
        ),
        lesson=_(
            "Never copy a seed on a computer, do not plug in shared sticks, and compare the pasted address "
            "on a hardware screen."
        ),
        weaknesses=("device_hygiene.shared_old", "tx_verification.blind"),
        sources=(
            "https://moneycheck.com/?p=165517",
            "https://cryptosimplified.net/microsoft-warns-of-new-usb-malware-targeting-crypto-users/",
        ),
        confirmed=True,
    ),
)
