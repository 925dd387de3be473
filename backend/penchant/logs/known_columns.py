"""The usual names of columns, for all commands that read a file."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from penchant.domain.errors import ConfigError

USERS = (
    "user", "user_id", "uid", "userid", "customer", "customer_id", "visitor_id", "member_id",
    "account_id", "reviewer_id", "profile_id", "client_id", "person_id",
)  # fmt: skip
ITEMS = (
    "item", "item_id", "iid", "movie_id", "film_id", "product_id", "asin", "sku", "article_id",
    "track_id", "song_id", "book_id", "game_id", "video_id", "news_id", "ad_id", "content_id",
    "anime_id", "business_id", "isbn",
)  # fmt: skip
IDS = ("id", *ITEMS)
TEXTS = ("text", "item_text")
TIMES = (
    "occurred_at", "timestamp", "ts", "time", "event_time", "event_timestamp", "datetime",
    "date_time", "created_at", "rated_at", "unix_review_time", "unix_time", "epoch", "date",
)  # fmt: skip
SIGNALS = ("signal", "event_type", "event", "event_name", "action", "interaction", "behavior")
RATINGS = ("rating", "stars", "overall", "review_overall", "rating_value", "book_rating")
VALUES = ("value", *RATINGS)
EVENT_IDS = ("event_id",)
RECOMMENDATION_IDS = ("recommendation_id",)
REWARDS = ("reward", "click", "clicked", "label")
PROPENSITIES = ("propensity", "propensity_score", "pscore", "action_prob")

LIKELY: Mapping[str, tuple[str, ...]] = {
    "user": (
        "reader", "listener", "viewer", "buyer", "shopper", "cook", "player", "student", "learner",
        "visitor", "member", "client", "account", "person", "applicant", "subscriber", "company",
        "cookie", "cookie_id", "device_id", "anonymous_id", "user_name", "email",
        "leser", "kunde", "kunden_nr", "kundennummer", "kunden_id", "nutzer", "nutzer_id",
        "benutzer", "benutzer_id", "käufer", "hörer", "besucher", "mitglied", "firma",
        "utilisateur", "lecteur", "acheteur", "visiteur", "usuario", "cliente", "comprador",
        "lector", "alumno", "estudiante", "visitante", "utente", "gebruiker", "klant",
    ),
    "item": (
        "track", "song", "recipe", "recipe_id", "page", "page_id", "page_url", "url", "article",
        "product", "book", "movie", "film", "video", "game", "app", "app_id", "package", "listing",
        "listing_id", "job_id", "course_id", "lesson_id", "restaurant_id", "post_id", "offer_id",
        "ean", "gtin",
        "artikel", "artikel_nr", "artikelnummer", "artikel_id", "produkt", "produkt_id",
        "produktnummer", "buch", "rezept", "seite", "produit", "produit_id", "livre", "articulo",
        "artículo", "producto", "producto_id", "libro", "articolo", "prodotto",
    ),
}  # fmt: skip
"""Names that mostly mean a field. They count where no usual name is there and what stands in the
column fits, and it is said."""

ATTRIBUTES = (
    "country", "region", "city", "language", "locale", "age", "age_band", "age_group", "gender",
    "sex", "occupation", "device", "device_type", "platform", "os", "browser", "channel", "plan",
    "tier", "segment",
)  # fmt: skip
"""Usual names of what is known of users; `user_country` and the like are meant as well."""

KNOWN: Mapping[str, tuple[str, ...]] = {
    "id": IDS,
    "text": TEXTS,
    "user": USERS,
    "item": ITEMS,
    "signal": SIGNALS,
    "value": VALUES,
    "occurred_at": TIMES,
    "event_id": EVENT_IDS,
    "recommendation_id": RECOMMENDATION_IDS,
    "reward": REWARDS,
    "propensity": PROPENSITIES,
}
"""Usual names by field; upper and lower case, `_`, `-`, `.` and spaces make no difference."""


def folded(name: str) -> str:
    """Returns a name without what makes no difference between names.

    >>> folded("User ID"), folded("userId"), folded("user_id")
    ('userid', 'userid', 'userid')
    """
    return "".join(letter for letter in name.casefold() if letter not in "_-. ")


_LIKELY = {field: frozenset(map(folded, names)) for field, names in LIKELY.items()}


def likely_columns(field: str, names: Collection[str]) -> list[str]:
    """The columns whose names mostly mean a field.

    >>> likely_columns("user", ["Kunden-Nr", "Menge"]), likely_columns("user", ["wer"])
    (['Kunden-Nr'], [])
    """
    wanted = _LIKELY.get(field, frozenset())
    return [name for name in names if folded(name) in wanted]


_FOLDED = {field: frozenset(map(folded, usual)) for field, usual in KNOWN.items()}
_ALL = frozenset().union(*_FOLDED.values(), [folded("title"), folded("name")])


def is_known(name: str) -> bool:
    """Whether a name is a usual one of some field.

    >>> is_known("movieId"), is_known("1193")
    (True, False)
    """
    return folded(name) in _ALL


_ATTRIBUTES = frozenset(map(folded, ATTRIBUTES))


def is_attribute(name: str) -> bool:
    """Whether a name is usual for what is known of a user.

    >>> is_attribute("ageBand"), is_attribute("user_country"), is_attribute("username")
    (True, True, False)
    """
    plain = folded(name)
    return plain in _ATTRIBUTES or plain.removeprefix("user") in _ATTRIBUTES


def known_column(
    field: str, names: Collection[str], option: str, *, usual: Collection[str] = ()
) -> str:
    """Returns the column of a field; the field's own name where the file has none.

    The field's own name goes before all others, then `item_id` before `Item ID`.

    Args:
        field: a key of `KNOWN`.
        names: the file's columns.
        option: the option that names the column.
        usual: the usual names to look for; default: those of the field.

    Raises:
        ConfigError: several columns could be the one.

    >>> known_column("user", ["User ID", "movieId"], "--user-column")
    'User ID'
    """
    if field in names and not usual:
        return field
    wanted = set(map(folded, usual)) if usual else _FOLDED[field]
    found = [name for name in names if folded(name) in wanted]
    if len(found) > 1:
        raise ConfigError(
            f"{field}: got the columns {', '.join(map(repr, found))}, expected one of them alone; "
            f"name it with {option}"
        )
    return found[0] if found else field
