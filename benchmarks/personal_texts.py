"""Labelled texts with planted personal data and hard negatives, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from penchant.domain import national_ids as ids

_SYLLABLES = (
    *("an", "ber", "cor", "dan", "el", "fin", "gor", "hel", "is", "jo", "kar"),
    *("lem", "mor", "nis", "or", "per", "ri", "sol", "tam", "ul", "ver"),
)
_DOMAINS = ("example.org", "mail.example.com", "firma.example.de", "example.co.uk")
_CARRIERS = (
    "please reach me: {}",
    "{} is mine, show me films about space",
    "my number is {}, thanks",
    "find something like last time ({})",
    "send it to {} before Friday",
    "我的信息 {} 谢谢",
    "{}",
)
NEGATIVES = (
    "isbn 978-3-16-1484{n:02d}-0",
    "ean 40063813339{n:02d}",
    "order 2024-{n:04d}-17 arrived",
    "part no. AB-{n:04d}-778-C",
    "the film from 19{n:02d} and its sequel of 2003",
    "on 2024-05-{d:02d} at 12:30:45",
    "{d:02d}.05.2023 or 05/{d:02d}/2023",
    "EUR 1.299,{n:02d} or $1,234,567.{n:02d}",
    "version 10.0.19041.{n}",
    "firmware v1.2.3.{n}",
    "52.5200{n:02d}, 13.404954",
    "std::vector<int> and a::b",
    "ratio 16:9, score 3:{d}",
    "serial 00{n:06d}-{n:04d}",
    "tracking 1Z999AA101234567{n:02d}",
    "model WH-1000XM{d} at 4k60",
    "chapter {n}.{d}.2.1 of the manual",
    "4K 3840x2160 HDR{n}",
    "rated 4.5/5 by 123456{n:02d} people",
    "sku 1234 5678 90{n:02d}",
    "matricule 7{n:02d}41{n:02d}88",
    "pi is 3.1415926535{n:02d}",
    "The Secret: Dare to Dream {n}",
    "mentioned @space_fan{n} on the forum",
    "ISO 27001:2013 and RFC 79{n:02d}",
    "doi 10.1000/182.{n}",
    "mac aa:bb:cc:dd:ee:{n:02d}",
    "uuid 123e4567-e89b-12d3-a456-4266141740{n:02d}",
    "unix time 17000000{n:02d}",
    "budget 200 000 000, run 12 500 {n:03d}",
)


@dataclass(frozen=True, slots=True)
class LabelledText:
    """A text, the kind of what is planted in it, and what that is; empty: nothing."""

    text: str
    kind: str
    planted: str


def labelled_texts(seed: int, of_each: int) -> list[LabelledText]:
    """As many texts with each kind of personal data, and twenty times as many without."""
    draw = random.Random(seed)
    texts = []
    for kind, make in MAKERS.items():
        for _ in range(of_each):
            planted = make(draw)
            texts.append(LabelledText(draw.choice(_CARRIERS).format(planted), kind, planted))
    for number in range(20 * of_each):
        template = NEGATIVES[number % len(NEGATIVES)]
        filled = template.format(n=draw.randrange(100), d=draw.randint(1, 9))
        texts.append(LabelledText(draw.choice(_CARRIERS).format(filled), "", ""))
    return texts


def _word(draw: random.Random) -> str:
    return "".join(draw.choices(_SYLLABLES, k=draw.randint(2, 3)))


def _digits(draw: random.Random, count: int) -> str:
    return "".join(draw.choices("0123456789", k=count))


def _email(draw: random.Random) -> str:
    name = draw.choice((".", "_", "+", "")).join((_word(draw), _word(draw)))
    return f"{name}{draw.choice(('', '7'))}@{draw.choice(_DOMAINS)}"


def _phone(draw: random.Random) -> str:
    a, b, c = draw.randint(201, 989), draw.randint(201, 989), draw.randint(1000, 9999)
    mobile = f"{draw.randint(150, 179)} {draw.randint(1000000, 9999999)}"
    return draw.choice(
        (
            f"+49 {mobile}",
            f"+1 {a} {b} {c}",
            f"+44 20 7{_digits(draw, 3)} {c}",
            f"({a}) {b}-{c}",
            f"{a}-{b}-{c}",
            f"0{mobile}",
            f"030/{_digits(draw, 7)}",
            f"06 {' '.join(_digits(draw, 2) for _ in range(4))}",
            f"13{_digits(draw, 9)}",
            f"+86 138 {c} {draw.randint(1000, 9999)}",
            f"phone {_digits(draw, 3)} {_digits(draw, 4)}",
        )
    )


def _checked(draw: random.Random, make: Callable[[], str], check: Callable[[str], bool]) -> str:
    """Draws until the check digit fits."""
    while True:
        text = make()
        if check(text):
            return text


def _card(draw: random.Random) -> str:
    def make() -> str:
        return draw.choice(("4", "51", "55", "2221", "6011")).ljust(4, draw.choice("123456789"))

    digits = _checked(draw, lambda: make() + _digits(draw, 12), ids.card)
    parts = [digits[place : place + 4] for place in range(0, 16, 4)]
    return draw.choice((" ", "-", "")).join(parts)


def _iban(draw: random.Random) -> str:
    country, letters, rest = draw.choice(
        (("DE", "", 18), ("FR", "", 23), ("GB", "NWBK", 14), ("ES", "", 20), ("NL", "ABNA", 10))
    )
    account = letters + _digits(draw, rest)
    for check in range(2, 99):
        text = f"{country}{check:02d}{account}"
        if ids.iban(text):
            break
    parts = [text[place : place + 4] for place in range(0, len(text), 4)]
    return draw.choice((" ", "")).join(parts)


def _ip(draw: random.Random) -> str:
    octets = ".".join(str(draw.randint(1, 254)) for _ in range(4))
    hextets = ":".join(f"{draw.randint(1, 0xFFFF):x}" for _ in range(8))
    return draw.choice((octets, octets, hextets, f"2001:db8::{draw.randint(1, 0xFFFF):x}:1"))


def _date(draw: random.Random) -> tuple[int, int, int]:
    return draw.randint(1950, 1999), draw.randint(1, 12), draw.randint(1, 28)


def _id(draw: random.Random) -> str:
    year, month, day = _date(draw)
    short = f"{year % 100:02d}"
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

    def chinese() -> str:
        return f"110105{year}{month:02d}{day:02d}{_digits(draw, 3)}{draw.choice('0123456789X')}"

    def italian() -> str:
        name = "".join(draw.choices("BCDFGLMNPRST", k=6))
        place = f"{draw.choice('ABCDEFGHL')}{_digits(draw, 3)}"
        return f"{name}{short}{draw.choice('ABCDEHLMPRST')}{day:02d}{place}{draw.choice(letters)}"

    makers: tuple[tuple[Callable[[], str], Callable[[str], bool]], ...] = (
        (chinese, ids.chinese_id),
        (italian, ids.italian_id),
        (lambda: f"{_digits(draw, 8)}{draw.choice(letters)}", ids.spanish_id),
        (
            lambda: f"{draw.choice('12')}{short}{month:02d}75{_digits(draw, 8)}",
            ids.french_id,
        ),
        (lambda: f"{short}{month:02d}{day:02d}{_digits(draw, 5)}", ids.polish_id),
        (lambda: _digits(draw, 11), ids.brazilian_id),
        (lambda: _digits(draw, 11), ids.german_tax_id),
        (
            lambda: (
                f"{day:02d}{month:02d}{short}-{_digits(draw, 3)}{draw.choice('0123456789ABCDE')}"
            ),
            ids.finnish_id,
        ),
    )
    return _checked(draw, *draw.choice(makers))


def _url(draw: random.Random) -> str:
    return f"https://{_word(draw)}:{_word(draw)}{_digits(draw, 3)}@{draw.choice(_DOMAINS)}/a?b=1"


def _secret(draw: random.Random) -> str:
    letters = "".join(draw.choices("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklm0123456789", k=36))
    return draw.choice(
        (
            f"ghp_{letters}",
            f"AKIA{letters[:16].upper()}",
            f"sk-{letters}",
            f"api_key={letters[:20]}7",
            f"password: {_word(draw)}!",
            f"eyJhbGciOi{letters[:10]}.eyJzdWIiOi{letters[:10]}.{letters}",
        )
    )


MAKERS: dict[str, Callable[[random.Random], str]] = {
    "email": _email,
    "phone": _phone,
    "card": _card,
    "iban": _iban,
    "ip": _ip,
    "id": _id,
    "url": _url,
    "secret": _secret,
}
"""How each kind is planted."""
