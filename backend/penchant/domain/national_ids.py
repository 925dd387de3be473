"""Check digits of national ids, cards and accounts: arithmetic that chance rarely passes.

>>> luhn("4111111111111111"), iban("DE89370400440532013000"), chinese_id("11010519491231002X")
(True, True, True)
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

IBAN_COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK|FI|FO|GL|NL",
    19: "MK|SI",
    20: "AT|BA|EE|KZ|LT|LU|XK",
    21: "CH|HR|LI|LV",
    22: "BG|BH|CR|DE|GB|GE|IE|ME|RS|VA",
    23: "AE|GI|IL|IQ|TL",
    24: "AD|CZ|ES|MD|PK|RO|SA|SE|SK|TN|VG",
    25: "LY|PT|ST",
    26: "IS|TR",
    27: "FR|GR|IT|MC|MR|SM",
    28: "AL|AZ|BY|CY|DO|GT|HU|LB|PL|SV",
    29: "BR|EG|PS|QA|UA",
    30: "JO|KW|MU",
    31: "MT|SC",
    32: "LC",
}
"""Countries by the length of their account numbers, from the registry of ISO 13616."""


def luhn(digits: str) -> bool:
    """ISO/IEC 7812-1, annex B."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0


def card(digits: str) -> bool:
    """A payment card: 14 to 19 digits of a known issuer, by Luhn."""
    two, four = int(digits[:2]), int(digits[:4])
    by_issuer = {
        14: two in (30, 36, 38, 39),
        15: two in (34, 37),
        16: digits[0] == "4"
        or 51 <= two <= 55
        or 2221 <= four <= 2720
        or two in (35, 60, 62, 64, 65),
        19: digits[0] == "4" or two == 62,
    }
    return by_issuer.get(len(digits), False) and luhn(digits) and len(set(digits)) > 1


def iban(text: str) -> bool:
    """ISO 13616: the country's length, and 1 modulo 97 (ISO/IEC 7064)."""
    if text[:2] not in IBAN_COUNTRIES.get(len(text), "").split("|"):
        return False
    return int("".join(str(int(char, 36)) for char in text[4:] + text[:4])) % 97 == 1


def spanish_id(text: str) -> bool:
    """DNI and NIE: the letter is the number modulo 23."""
    number = text[:-1].replace("X", "0").replace("Y", "1").replace("Z", "2")
    return text[-1] == "TRWAGMYFPDXBNJZSQVHLCKE"[int(number) % 23]


def italian_id(text: str) -> bool:
    """Codice fiscale: the last letter, from tables for odd and even places."""
    total = 0
    for place, char in enumerate(text[:15]):
        value = int(char) if char.isdigit() else ord(char) - ord("A")
        total += value if place % 2 else _ITALIAN_ODD[value]
    return text[15] == chr(ord("A") + total % 26)


_ITALIAN_ODD = (
    *(1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18),
    *(20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23),
)
"""The value of a digit, or of a letter, at an odd place."""


def french_id(digits: str) -> bool:
    """NIR of 15 digits: the key is 97 minus the number modulo 97; the third and fourth a month."""
    month = int(digits[3:5])
    known = 1 <= month <= 12 or 20 <= month <= 42 or 50 <= month <= 99
    return known and int(digits[13:]) == 97 - int(digits[:13]) % 97


def polish_id(digits: str) -> bool:
    """PESEL: a date whose month carries the century, and a weighted sum."""
    month = int(digits[2:4])
    century = {0: 1900, 1: 2000, 2: 2100, 3: 2200, 4: 1800}[month // 20]
    if not _is_date(century + int(digits[:2]), month % 20, int(digits[4:6])):
        return False
    total = sum(int(one) * weight for one, weight in zip(digits, (1, 3, 7, 9) * 3, strict=False))
    return (total - int(digits[10]) * 7 + int(digits[10])) % 10 == 0


def brazilian_id(digits: str) -> bool:
    """CPF: two check digits modulo 11."""
    for place in (9, 10):
        total = sum(int(one) * (place + 1 - at) for at, one in enumerate(digits[:place]))
        if int(digits[place]) != total * 10 % 11 % 10:
            return False
    return len(set(digits)) > 1


def chinese_id(text: str) -> bool:
    """GB 11643: a date of birth, and ISO/IEC 7064 modulo 11-2."""
    if not _is_date(int(text[6:10]), int(text[10:12]), int(text[12:14])):
        return False
    total = sum(int(one) * (2 ** (17 - at) % 11) for at, one in enumerate(text[:17]))
    return text[17].upper() == "10X98765432"[total % 11]


def finnish_id(text: str) -> bool:
    """Henkilötunnus: a date, and the number modulo 31."""
    if not _is_date(2000, int(text[2:4]), int(text[:2])):
        return False
    return text[10].upper() == "0123456789ABCDEFHJKLMNPRSTUVWXY"[int(text[:6] + text[7:10]) % 31]


def german_tax_id(digits: str) -> bool:
    """Steuerliche Identifikationsnummer: one digit repeats among ten, and modulo 11, 10."""
    counts = sorted(digits[:10].count(one) for one in set(digits[:10]))
    if digits[0] == "0" or counts[-1] > 3 or counts[-2:] == [2, 2] or counts[-1] == 1:
        return False
    product = 10
    for one in digits[:10]:
        product = ((int(one) + product) % 10 or 10) * 2 % 11
    return int(digits[10]) == (11 - product) % 10


def _is_date(year: int, month: int, day: int) -> bool:
    try:
        return 1800 <= date(year, month, day).year <= 2100
    except ValueError:
        return False


DIGIT_IDS: dict[int, tuple[Callable[[str], bool], ...]] = {
    11: (polish_id, brazilian_id, german_tax_id),
    15: (french_id,),
}
"""The ids of digits alone, by length."""
