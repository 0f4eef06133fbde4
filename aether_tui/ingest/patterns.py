"""What is sensitive, by shape: one table of patterns with their validators, and the benign values they must spare.

Every pattern is linear in its input: bounded or possessive repeats, and starts that cannot overlap.
"""

from __future__ import annotations

import math
import re
from base64 import b64decode
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import AddressValueError, IPv6Address
from typing import Literal

IBAN_LENGTHS = {
    "AD": 24, "AE": 23, "AL": 28, "AT": 20, "AZ": 28, "BA": 20, "BE": 16, "BG": 22, "BH": 22, "BR": 29, "BY": 28,
    "CH": 21, "CR": 22, "CY": 28, "CZ": 24, "DE": 22, "DK": 18, "DO": 28, "EE": 20, "EG": 29, "ES": 24, "FI": 18,
    "FO": 18, "FR": 27, "GB": 22, "GE": 22, "GI": 23, "GL": 18, "GR": 27, "GT": 28, "HR": 21, "HU": 28, "IE": 22,
    "IL": 23, "IQ": 23, "IS": 26, "IT": 27, "JO": 30, "KW": 30, "KZ": 20, "LB": 28, "LC": 32, "LI": 21, "LT": 20,
    "LU": 20, "LV": 21, "LY": 25, "MC": 27, "MD": 24, "ME": 22, "MK": 19, "MR": 27, "MT": 31, "MU": 30, "NL": 18,
    "NO": 15, "PK": 24, "PL": 28, "PS": 29, "PT": 25, "QA": 29, "RO": 24, "RS": 22, "SA": 24, "SC": 31, "SE": 24,
    "SI": 19, "SK": 24, "SM": 27, "ST": 25, "SV": 28, "TL": 23, "TN": 24, "TR": 26, "UA": 29, "VA": 22, "VG": 24,
    "XK": 20,
}  # fmt: skip
"""Length of an IBAN by country (ISO 13616 registry)."""

_HEX = re.compile(r"[0-9a-f]{7,128}|[0-9A-F]{7,128}")
_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_DATE = re.compile(r"(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.]\d{4})(?!\d)")
# First digits and length of payment cards: Visa, Mastercard, American Express, Discover, Diners, JCB, UnionPay.
_CARD_ISSUER = re.compile(
    r"4(?:\d{12}|\d{15})|(?:5[1-5]|2(?:22[1-9]|2[3-9]\d|[3-6]\d\d|7[01]\d|720)\d|6(?:011|4[4-9]\d|5\d\d)|62\d\d"
    r"|35(?:2[89]|[3-8]\d))\d*|3[47]\d{13}|3(?:0[0-5]|[68]\d)\d{11}"
)

# `max_token=4096` is a count. The two letters that all begin with are asked first: regardless of case each name would be tried everywhere.
_NAMES = (
    r"(?=[pkmcstaejlf密口パп][aweocrupinhs码令スа])"
    r"(?:pass(?:wor[dt]|wd|phrase|code)|pwd|kennwort|mot de passe|contrase[ñn]a|密码|口令|パスワード|пароль"
    r"|secret|token(?![\"'\s]{0,4}[:=]\s{0,3}\d{1,9}(?![\w.:/]))|credentials?|cookie|authorization"
    r"|(?:api|access|secret|private|auth|account|signing|encryption|master|license|subscription|functions)[ _\-]?key"
    r"|[jp](?:hp)?sess(?:ion)?id)"
)
SECRET_NAME = re.compile(rf"(?i)(?:{_NAMES}|passwords|secrets|(?:api|access|secret|private)[ _\-]?keys)$")
"""A name (of an attribute, a parameter, a variable) whose value is a secret."""
PASSWORD_NAME = re.compile(r"(?i)(?:pass(?:wor[dt]|wd|phrase|code)|pwd|kennwort|secret)$")
"""A name whose value is a secret also where it is a number."""
ADDRESS_NAME = re.compile(
    r"(?i)(?:^|[._\- ])(?:ip|ipv4|ip_?addr(?:ess)?|(?:client|peer)\.address|remote_addr|x-forwarded-for)$"
)
"""A name whose value is the network address of a person."""
IPV4 = re.compile(r"(?<![\d.])(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)(?!\.?\d)")

IPV6 = re.compile(r"(?<![\w:.])(?:[0-9A-Fa-f]{0,4}:){2,7}[0-9A-Fa-f]{0,4}(?![\w:.])")
"""What may be one: `is_ipv6` knows."""

_BENIGN_WORDS = frozenset(
    {
        "true", "false", "null", "none", "nil", "undefined", "yes", "no", "on", "off", "empty", "missing", "invalid",
        "expired", "required", "optional", "redacted", "hidden", "set", "unset", "new", "old", "revoked", "rotated",
        "string", "str", "int", "bool", "text", "number", "bytes", "basic", "bearer", "env", "vault", "file", "default",
    }
)  # fmt: skip

Group = Literal["shape", "secret", "address", "number", "private"]
"""Patterns of one group are tried when the text has that group's hint (a long run, a word, an `@`, many digits)."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One kind of sensitive text. Group `value` (else the whole match) is replaced, if `valid` agrees with it."""

    kind: str
    group: Group
    find: re.Pattern[str]
    valid: Callable[[str], bool] | None = None
    cue: str = ""
    """What a text must contain besides, where it says more than the hint."""
    needs: re.Pattern[str] | None = None
    """What a text of ASCII in small letters must hold, asked once for all patterns that need it."""


def _digits(text: str) -> str:
    return "".join(filter(str.isdigit, text))


def luhn(digits: str) -> bool:
    """Whether the check digit of a payment card fits (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0


def is_card(text: str) -> bool:
    """Whether the digits are a payment card number: length, issuer range and check digit."""
    digits = _digits(text)
    known = len(digits) in {13, 14, 15, 16} and _CARD_ISSUER.fullmatch(digits) is not None
    return known and (len(digits) == 16 or digits[0] in "34") and luhn(digits)


def iban_length(text: str) -> int:
    """How many characters of `text` (spaces included) are a valid IBAN (ISO 13616, mod 97); 0 when none."""
    wanted = IBAN_LENGTHS.get(text[:2].upper(), 0)
    taken, end = "", 0
    while end < len(text) and len(taken) < wanted:
        taken += text[end].strip()
        end += 1
    if not wanted or len(taken) < wanted or not (taken.isascii() and taken.isalnum()) or text[end : end + 1].isalnum():
        return 0
    number = "".join(str(int(char, 36)) for char in taken[4:] + taken[:4])
    return end if int(number) % 97 == 1 else 0


def _is_phone(text: str) -> bool:
    return 7 <= len(_digits(text)) <= 15 and not _DATE.match(text.strip("( "))


def _is_international(text: str) -> bool:
    digits = len(_digits(text))
    grouped = sum(char in " ().-/" for char in text) >= 2
    return 8 <= digits <= 15 and (grouped or digits >= 10) and not _DATE.match(text.lstrip("+"))


def _is_national(text: str) -> bool:
    return 9 <= len(_digits(text)) <= 12


def is_ipv6(text: str) -> bool:
    """Whether it is a network address (RFC 4291) of somebody else."""
    try:
        return not IPv6Address(text).is_loopback
    except AddressValueError:
        return False


def is_benign(text: str) -> bool:
    """Whether a value is of a kind that is never a secret, whatever its name: a date or plain word (any, of a script without case)."""
    word = text.casefold() in _BENIGN_WORDS or (text.isalpha() and text.lower() == text.upper())
    return word or _DATE.match(text) is not None


def _is_value(text: str) -> bool:
    return not is_benign(text) and not text.startswith(("$", "%", "*", "…", "..."))


def _is_worded_value(text: str) -> bool:
    """After `token:` in prose a plain word is a word, not the secret."""
    mixed = any(not char.isalpha() for char in text.rstrip(".!?:)")) or not (text.islower() or text.istitle())
    return _is_value(text) and (mixed or len(text) >= 16) and not (text.isdigit() and len(text) <= 4)


def _has_digit(text: str) -> bool:
    return any(map(str.isdigit, text))


def _is_bearer(text: str) -> bool:
    return _has_digit(text) or len(text) >= 20


def _is_random(text: str) -> bool:
    """High entropy (≥3.5 bits per character), of mixed classes, and no hash or UUID."""
    if _HEX.fullmatch(text) or _UUID.fullmatch(text) or not _has_digit(text) or text.isdigit():
        return False
    counts = Counter(text)
    entropy = -sum(n / len(text) * math.log2(n / len(text)) for n in counts.values())
    return entropy >= 3.5 and any(map(str.isupper, text)) and any(map(str.islower, text))


def _is_pair(text: str) -> bool:
    """Whether it is base64 of a name and a password."""
    try:
        return ":" in b64decode(text + "=" * (-len(text) % 4)).decode()
    except ValueError:
        return False


def _not_git(text: str) -> bool:
    return text not in {"git", "hg", "svn"}


def _not_git_host(text: str) -> bool:
    return not text.startswith("git@")


def _secret(
    kind: str,
    text: str,
    valid: Callable[[str], bool] | None = None,
    cue: str = "",
    needs: re.Pattern[str] | None = None,
) -> Pattern:
    return Pattern(kind, "secret", re.compile(text), valid, cue, needs)


def _address(kind: str, text: str, valid: Callable[[str], bool] | None = None) -> Pattern:
    return Pattern(kind, "address", re.compile(text), valid)


def _number(kind: str, text: str, valid: Callable[[str], bool] | None = None) -> Pattern:
    return Pattern(kind, "number", re.compile(text), valid)


_RUN = r"(?=[A-Za-z]{0,60}\d)[A-Za-z0-9]{22,255}"
_PARTS = r"(?=[A-Za-z_\-]{0,60}\d)[A-Za-z0-9_\-]{20,255}"
_MIXED = r"(?=[a-z0-9_\-]{0,60}[A-Z])(?=[A-Za-z_\-]{0,60}\d)"
SHAPES = {
    r"(?:AKIA|ASIA|ABIA|ACCA)": r"[A-Z0-9]{16}",
    r"ABSK": r"[A-Za-z0-9+/]{40,255}={0,2}",
    r"bedrock-api-key-": r"[A-Za-z0-9+/_\-]{20,8192}={0,2}",
    r"(?:IQoJb3JpZ2lu|FwoGZXIvYXdz)": r"[A-Za-z0-9+/]{80,4096}={0,2}",
    r"(?:LTAI|AKID|AQVN|AKCp|cflt|cmVmdGtuOj|dG9rO)": r"(?=[A-Za-z]{0,60}\d)[A-Za-z0-9+/_\-]{16,128}={0,2}",
    r"gh[pousr]_": r"[A-Za-z0-9]{20,255}",
    r"github_pat_": r"[A-Za-z0-9_]{20,255}",
    r"(?:gl(?:pat|dt|rtr?|cbt|ptt|ft|ffct|soat|agent|imt|wt|oas)-|GR1348941)": r"[A-Za-z0-9_\-]{16,255}",
    r"xox[abeoprs]": r"(?:\.[a-z]+)?-[A-Za-z0-9\-]{10,255}",
    r"xapp-": r"[A-Za-z0-9\-]{10,255}",
    r"[sp]k-": r"(?!ecdsa|ssh-)(?=[A-Za-z_\-]{0,60}\d)[A-Za-z0-9_\-]{16,255}",
    r"(?:[srpe]k|sk_org|rzp|duffel|bb|pdl)_(?:live|test|sdbx)_": r"[A-Za-z0-9_\-]{10,255}",
    r"[sp]k_": r"(?:\d{1,12}_)?(?=[A-Za-z]{0,60}\d)[A-Za-z0-9]{32,255}",
    r"(?:live|test)_(?:pub_)?": r"(?:[0-9a-f]{35}|[0-9a-f]{31})",
    r"whsec_": r"[A-Za-z0-9+/=]{16,255}",
    r"AIza": r"[A-Za-z0-9_\-]{30,100}",
    r"AQ\.Ab": r"[A-Za-z0-9_\-]{20,255}",
    r"ya29\.": r"[A-Za-z0-9_\-]{20,512}",
    r"GOCSPX-": r"[A-Za-z0-9_\-]{20,64}",
    r"1//0": r"[A-Za-z0-9_\-]{30,200}",
    r"lin_(?:api|oauth|wh|refresh)_": r"[A-Za-z0-9]{16,128}",
    r"AT(?:ATT|CTT|STT|BB)": r"[A-Za-z0-9_\-=]{20,512}",
    r"(?:hf|api_org)_": rf"(?:[A-Za-z]{{30,128}}|{_RUN})",
    r"(?:gsk|r8|fw|ntn|secret|sbp|napi|nfp|rnd|rpa|e2b|pnu|sgp|sq[apu]|bkua|rubygems|ph[csx]|vc[aikpr]|cf[au]t|cfk"
    r"|hc[abx][ilm]k|packagist_\w{2,4}|rdme|tl|hl_sk|key|CLOJARS|CCIP(?:AT|RJ)_[A-Za-z0-9]{4,32}|do[opr]_v1"
    r"|shp(?:at|ca|pa|ss|tka)|re_[A-Za-z0-9]{8}|vercel_blob_rw_[A-Za-z0-9]{4,32}|FLWSECK(?:_TEST)?)[_\-]": _RUN,
    r"(?:pcsk|fig[dour]|dckr_[op]at|jina|tgp_v\d|sb_secret|tfp|pylf_v\d_[a-z]{2,8}|wandb_v\d"
    r"|pscale_[a-z]{2,8}|mdb_sa_sk|y[0-3]|fo1)_": _PARTS,
    r"(?:gl(?:c|sa)_|sntry[su]_|ops_)": r"(?:eyJ[A-Za-z0-9+/]{40,4096}={0,2}(?:_[A-Za-z0-9+/]{16,128})?|[A-Za-z0-9_\-]{24,255})",
    r"lsv2_(?:pt|sk)_": r"[0-9a-f]{32}_[0-9a-f]{10}",
    r"(?:xai|pplx|csk|pul|tvly(?:-dev|-prod)?|ck|m0|secret)-": _RUN,
    r"(?:tskey-(?:auth|api|client|scim|webhook)|sq0[a-z]{3}|PMAK|CFPAT|HRKU)-": _PARTS,
    r"(?:xaat|xapt|ak|api|sdk|mob|ctx7sk|access-[a-z]{7,11}|pat-[a-z]{2}\d)-(?:[0-9a-f]{8}-)": (
        r"(?:[0-9a-f]{4}-){3}[0-9a-f]{12}(?:-[A-Za-z0-9_\-]{10,64})?"
    ),
    r"(?:pa-|ak_)": rf"{_MIXED}[A-Za-z0-9_\-]{{20,64}}",
    r"(?:a[ks]-|EZ[AT]K|cio)": rf"{_MIXED}[A-Za-z0-9]{{22,64}}",
    r"(?:key|fc)-": r"[0-9a-f]{32}",
    r"nvapi-": r"[A-Za-z0-9_\-]{40,128}",
    r"NRAK-": r"[A-Z0-9]{27}",
    r"hv[sbr]\.": r"[A-Za-z0-9_\-]{24,300}",
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.": r"(?:[a-z0-9\-]{2,35}\.)?[A-Za-z0-9]{40,44}",
    r"dt0[a-z]\d\d\.": r"[A-Z0-9]{24}\.[A-Z0-9]{64}",
    r"pat[A-Za-z0-9]{14}\.": r"[0-9a-f]{64}",
    r"pat\.[A-Za-z0-9_\-]{22}\.": r"[0-9a-f]{24}\.[A-Za-z0-9]{20}",
    r"v1\.0-[0-9a-f]{24}-": r"[0-9a-f]{100,200}",
    r"A3-[A-Z0-9]{6}-": r"(?:[A-Z0-9]{5,11}-){3,4}[A-Z0-9]{5}",
    r"00D": r"[A-Za-z0-9]{12,15}![A-Za-z0-9._]{60,200}",
    r"[012]/\d": r"\d{9,16}(?:/\d{10,17})?:[0-9a-f]{32}",
    r"EAA[A-Za-z]": r"(?=[A-Za-z_\-]{0,60}\d)[A-Za-z0-9_\-]{50,255}",
    r"fm[12]_": r"[A-Za-z0-9+/]{60,4096}={0,2}",
    r"oy2": r"(?=[a-z]{0,40}\d)[a-z0-9]{43}",
    r"AGE-SECRET-KEY-1": r"[0-9A-Z]{58}",
    r"\d{8,10}:AA": r"[A-Za-z0-9_\-]{33}",
    r"npm_": r"[A-Za-z0-9]{36}",
    r"pypi-": r"[A-Za-z0-9_\-]{32,512}",
    r"SG\.": r"[A-Za-z0-9_\-]{16,64}\.[A-Za-z0-9_\-]{16,64}",
    r"(?:dapi|xkeysib)": r"[_\-]?[A-Za-z0-9_\-]{24,255}",
    r"eyJ": r"[A-Za-z0-9_\-]{8,8192}\.[A-Za-z0-9_\-]{8,8192}(?:\.[A-Za-z0-9_\-]{0,8192})?",
}
"""Tokens by what their vendors let them begin with, and what follows."""
STARTS = tuple(SHAPES)
"""What tokens begin with (RE2, too)."""
_BURIED = {
    r"\dQ~": r"[A-Za-z0-9_~.]{3}\dQ~[A-Za-z0-9_~.\-]{31,34}",
    r"atlasv1\.": r"(?:[A-Za-z0-9]{14}\.)?atlasv1\.[A-Za-z0-9_\-]{40,100}",
    r"JQQJ9": r"[A-Za-z0-9]{52}JQQJ9[A-Za-z0-9]{20,32}",
    r"AZDO": r"[A-Za-z0-9]{76}AZDO[A-Za-z0-9]{4}",
    r"[0-9a-f]-us\d": r"[0-9a-f]{32}-us\d{1,2}",
    r"[0-9a-f]{4}\.[A-Za-z0-9]{16}": rf"[0-9a-f]{{32}}\.{_MIXED}[A-Za-z0-9]{{16}}",
    r"\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27}": r"[MNO][A-Za-z0-9]{23,27}\.[A-Za-z0-9_\-]{6}\.[A-Za-z0-9_\-]{27,40}",
}
"""Tokens that are told by what stands within them, by that."""
WITHIN = tuple(_BURIED)
"""What stands within tokens (RE2, too)."""
_TOKENS = "|".join((*(start + rest for start, rest in SHAPES.items()), *_BURIED.values()))
# What stands between a secret's name and its value. A placeholder of ours (`[token:1a2b3c4d]`) is no name.
_NAMED = rf"(?i)(?<!\[)(?:{_NAMES})[\\\"'`]{{0,4}}\s{{0,3}}"
# Tried everywhere regardless of case a name takes ten times as long to be looked for as what all names begin or end with.
_NAMED_CUE = re.compile(
    r"(?:pass(?:wor[dt]|wd|phrase|code|e)|pwd|kennwort|contrasena|secret|token|credentials?|cookie|authorization|key|sess(?:ion)?id)"
    r"[\\\"'`]{0,4}\s{0,3}(?:[=:>]|is\b)"
)
_RUN_CUE = re.compile(r"[a-z0-9+/_\-]{24}")
CUES = (_NAMED_CUE, _RUN_CUE)
"""What `needs` may be."""
_VALUE = r"[\\\"'`]{0,4}(?P<value>[^\s\"'\\,;&<>()\[\]{}]++)"
_QUOTED = r"\\?[\"'`](?P<value>[^\"'`\n\[\]]{1,200})[\"'`]"
_SIGN = r"[\\\"'`]{0,4}\s{0,3}[:=]\s{0,3}[\\\"'`]{0,4}"
_PARAMETER = r"[a-z][\w.\-]{0,40}=(?:\\?\"[^\"\\\n]{0,2048}\\?\"|[^\s,;\"'\\]{1,2048})"
_COOKIE = r"[\w.\-$!%*+^`|~]{1,128}=[^\s;,\"'\\\[\]]{0,4096}"
_CARD = r"\d{13,16}|\d{4}(?:([ \-.])\d{4}\1\d{4}\1\d{1,7}|([ \-.])\d{6}\2\d{4,5})"
_PHONE_CUE = (
    r"\b(?:tele?phone|phone|tele?fono?|tel|mobile?|handy|fax|whatsapp)\b(?: (?:number|no|nr|is)){0,2}[.:=#\" ]{1,4}"
)

PATTERNS: tuple[Pattern, ...] = (
    _secret(
        "secret",
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z0-9 ]{0,40}-----|\Z)"
        r"|PuTTY-User-Key-File-\d:.*?(?:Private-MAC: \w{1,200}|\Z)",
    ),
    # Its other half follows an AWS key id, in tables and lists without a name.
    Pattern(
        "secret",
        "shape",
        re.compile(
            r"(?<![A-Za-z0-9])A[KS]IA[A-Z0-9]{16}[^A-Za-z0-9+/\[]{1,5}(?P<value>[A-Za-z0-9+/]{40})(?![A-Za-z0-9+/=])"
        ),
    ),
    Pattern("token", "shape", re.compile(rf"(?<![A-Za-z0-9])(?=[\w~.!/:+=\-]{{16}})(?:{_TOKENS})(?![A-Za-z0-9])")),
    # The address of a webhook is the permission to call it.
    Pattern(
        "token",
        "shape",
        re.compile(
            r"(?i)(?:discord(?:app)?\.com/api/webhooks/\d{15,20}|hooks\.slack\.com/(?:services|workflows|triggers)"
            r"|webhook\.office\.com/webhookb2)/(?P<value>[A-Za-z0-9_\-/@]{20,400})"
        ),
    ),
    _address("secret", r"(?<=://)(?P<value>[^\s/?#\"'<>\[\]]{1,512})@", _not_git),
    _secret(
        "secret",
        rf"(?i)[?&#](?:[\w.\-]{{0,40}}(?:{_NAMES})|key|sig|signature|code|auth|x-amz-(?:credential|signature))=(?P<value>[^\s&#\"'<>\[]++)",
        _is_value,
    ),
    _secret(
        "secret",
        rf"(?i)\bauthorization{_SIGN}[a-z][\w\-]{{2,30}}\s{{1,3}}(?P<value>(?:{_PARAMETER}(?:,\s{{0,3}})?)++)",
        cue="=",
    ),
    _secret(
        "secret", rf"(?i)\bauthorization{_SIGN}(?:token|apikey|geniekey|splunk)\s{{1,3}}(?P<value>[\w.~+/\-]{{8,512}})"
    ),
    _secret("secret", rf"(?i)\bcookie{_SIGN}(?P<value>{_COOKIE}(?:;\s{{0,3}}{_COOKIE}|;\s{{0,3}}[a-z]++)*+)", cue="="),
    _secret("secret", rf"(?i)(?<![a-z\d])auth{_SIGN}(?P<value>[A-Za-z0-9+/]{{8,512}}={{0,2}})(?![\w+/=])", _is_pair),
    _secret("secret", r"(?i)(?<![\w\[])(?:bearer|basic)\s{1,3}(?P<value>[A-Za-z0-9._~+/\-]{8,8192}={0,2})", _is_bearer),
    _secret("secret", rf"{_NAMED}(?:=|:=|=>|:(?=\S))\s{{0,3}}{_VALUE}", _is_value, needs=_NAMED_CUE),
    _secret("secret", rf"{_NAMED}(?:=|:|\bis\b)\s{{1,3}}{_QUOTED}", _is_value, needs=_NAMED_CUE),
    _secret("secret", rf"{_NAMED}>(?P<value>[^<>\s\[\]]{{1,4096}})</", _is_worded_value, "</", _NAMED_CUE),
    _secret("secret", rf"(?i)(?<!\S)--?[\w\-]{{0,40}}(?:{_NAMES})\s{{1,3}}{_VALUE}", _is_worded_value, "-"),
    _secret(
        "secret",
        rf"(?i)\blogin\s{{1,3}}[^\s\[\]]{{1,100}}\s{{1,3}}password\s{{1,3}}{_VALUE}",
        _is_worded_value,
        "login",
    ),
    _secret(
        "secret",
        r"(?i)\bcurl\b[^\n\[\]]{0,200}?\s(?:-u|--user)[ =]?[\"']?[^\s:\"'\[\]]{1,100}:(?P<value>[^\s\"'\[\]]++)",
        _is_value,
        "curl",
    ),
    _secret("secret", rf"{_NAMED}(?::|\bis\b)\s{{1,3}}{_VALUE}", _is_worded_value, needs=_NAMED_CUE),
    _secret(
        "secret",
        rf"(?i)(?<!\[)(?:\bkey|{_NAMES})\b[^\n\[\]]{{0,20}}?[\s\"'`:=(](?P<value>[A-Za-z0-9+/_\-]{{24,512}}={{0,2}})"
        r"(?![A-Za-z0-9])",
        _is_random,
        needs=_RUN_CUE,
    ),
    _address("email", r"(?<![\w.+%'\-])[\w.+%'\-]++@(?:[\w\-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![^\W_])", _not_git_host),
    _address("email", r"(?<![\w.+%'\-])[\w.+%'\-]++@[\w.\-]{0,80}…", _not_git_host),  # cut on the way here
    _number("card", rf"(?<![\dA-Za-z])(?<!\d\.)(?<![0-9a-f]{{4}}-)(?:{_CARD})(?![\dA-Za-z])(?!\.\d)", is_card),
    _number(
        "phone",
        r"(?<![\d+])(?:\+|(?<![\w.])00)[1-9]\d{0,2}(?:[ ().\-/]{0,3}\d){6,13}(?![A-Za-z\d])(?!\.\d)",
        _is_international,
    ),
    _number(
        "phone", r"(?<![\w.\-/:])(?:\([2-9]\d{2}\) ?|[2-9]\d{2}([ .\-]))\d{3}(?(1)\1|[ .\-])\d{4}(?![\w\-/])(?!\.\d)"
    ),
    _number(
        "phone",
        r"(?<![\w.,:/\-+])\(?0[1-9]\d{0,4}\)?(?: [/\-] \d{2,8}(?: \d{2,8}){0,3}|([ \-/])\d{2,8}(?:\1\d{2,8}){0,4})(?![\w.:\-])",
        _is_national,
    ),
    _number("phone", rf"(?i)(?<!\[){_PHONE_CUE}(?P<value>\+?\(?\d(?:[ ().\-/]{{0,3}}\d){{6,14}})(?![\w])", _is_phone),
    _number(
        "ip",
        rf"(?i)(?<!\[)\b(?:ip|ipv4|client_ip|remote_addr|x-forwarded-for)\b[^\d\n\[\]]{{0,12}}(?P<value>{IPV4.pattern})",
    ),
)
"""In the order in which they are applied; an IBAN is found by `IBAN_START` and validated by its checksum."""

IBAN_START = re.compile(r"(?<![A-Za-z0-9])[A-Za-z]{2}\d{2}(?= ?[A-Za-z0-9]{4})")
