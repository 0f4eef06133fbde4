"""How much of what identifies people the detectors see: their recall on texts made for this check, by kind.

The values are drawn from the formats people write, in sentences; those formats are all this recall speaks about.
"""

from __future__ import annotations

import random
import string
from collections.abc import Callable, Iterator

from aether_tui.ingest.patterns import luhn
from aether_tui.ingest.redact import Redactor

_SENTENCES = (
    "Customer wrote from {} and asked for a refund.",
    "please update the record: {}",
    "Ticket 4711 ({}) is still open since 2026-03-04",
    '{{"note": "{}", "retries": 3}}',
    "{}\nsent from my phone",
    "Der Kunde {} wartet seit gestern auf eine Antwort.",
)
_NAMES = ("maria.lopez", "j_smith", "o'neil", "chen.wei+news", "anna-lena", "x1", "团队", "müller")
_HOSTS = ("example.org", "mail.example.co.uk", "sub.domain.example.com", "bücher.example")


def _digits(rng: random.Random, count: int, first: str = string.digits) -> str:
    return rng.choice(first) + "".join(rng.choices(string.digits, k=count - 1))


def _letters(rng: random.Random, count: int) -> str:
    return "".join(rng.choices(string.ascii_letters + string.digits, k=count - 2)) + "A7"


def _email(rng: random.Random) -> str:
    return f"{rng.choice(_NAMES)}{rng.randrange(99)}@{rng.choice(_HOSTS)}"


def _phone(rng: random.Random) -> str:
    shape = rng.choice(
        ("+44 20 #### ####", "+49 30 ########", "(415) 555-####", "415-555-####", "030 / #######", "+1 415 555 ####", "00352 ### ###")
    )  # fmt: skip
    return "".join(rng.choice(string.digits[1:]) if char == "#" else char for char in shape)


def _card(rng: random.Random) -> str:
    body = rng.choice(("4", "51", "55", "2221", "6011"))
    body += _digits(rng, 15 - len(body))
    number = next(body + check for check in string.digits if luhn(body + check))
    gap = rng.choice(("", " ", "-"))
    return gap.join(number[at : at + 4] for at in range(0, 16, 4))


def _iban(rng: random.Random) -> str:
    country, length = rng.choice((("DE", 18), ("FR", 23), ("NL", 14), ("ES", 20)))
    body = ("ABNA" + _digits(rng, 10)) if country == "NL" else _digits(rng, length)
    number = int("".join(str(int(char, 36)) for char in body + country + "00"))
    plain = f"{country}{98 - number % 97:02d}{body}"
    return plain if rng.random() < 0.5 else " ".join(plain[at : at + 4] for at in range(0, len(plain), 4))


def _token(rng: random.Random) -> str:
    prefix, count = rng.choice(
        (("sk-", 32), ("ghp_", 36), ("AKIA", 0), ("xoxb-", 24), ("lin_api_", 40), ("glpat-", 20))
    )
    return prefix + (_letters(rng, count) if count else "".join(rng.choices(string.ascii_uppercase, k=16)))


def _secret(rng: random.Random) -> str:
    return _letters(rng, rng.randrange(12, 30))


def _ip(rng: random.Random) -> str:
    return ".".join(str(rng.randrange(1, 255)) for _ in range(4))


_MADE: dict[str, tuple[Callable[[random.Random], str], tuple[str, ...]]] = {
    # kind: (how a value is made, words before it)
    "email": (_email, ("",)),
    "phone": (_phone, ("", "phone: ")),
    "card": (_card, ("", "card ")),
    "iban": (_iban, ("", "IBAN ")),
    "token": (_token, ("", "key ")),
    "secret": (_secret, ("password=", "api_key: ", "Authorization: Bearer ")),
    "ip": (_ip, ("ip: ", "client_ip=")),
}


def examples(seed: int, per_kind: int) -> Iterator[tuple[str, str, str]]:
    """Kind, text, and the value in it that must not remain; the same for the same seed."""
    for kind, (make, cues) in _MADE.items():
        rng = random.Random(f"{seed} {kind}")
        for _ in range(per_kind):
            value = make(rng)
            yield kind, rng.choice(_SENTENCES).format(rng.choice(cues) + value), value


def recall(redactor: Redactor, seed: int = 0, per_kind: int = 40) -> dict[str, tuple[int, int]]:
    """Per kind: how many of the values were replaced, and how many there were."""
    found: dict[str, tuple[int, int]] = {}
    for kind, text, value in examples(seed, per_kind):
        seen, made = found.get(kind, (0, 0))
        found[kind] = seen + (value not in redactor.text(text)), made + 1
    return found
