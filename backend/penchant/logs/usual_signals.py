"""The usual names of signals in other people's logs, by the signal of ours that they mean."""

from __future__ import annotations

from collections.abc import Mapping

from penchant.domain.rewards import Signal
from penchant.domain.signals import DEFAULT_SIGNALS
from penchant.logs.known_columns import folded

_CART = Signal(reward=0.7)
_RETURN = Signal(reward=-0.5)
_WITHDRAWN = Signal(reward=-0.3)
"""Taken out of a cart, a list or a wish list: less than a dislike."""

_MEANINGS: tuple[tuple[Signal, str], ...] = (
    (
        DEFAULT_SIGNALS["like"],
        "like liked love loved fav favorite favourite favorited favourited star starred upvote "
        "thumbsup thumbup save saved bookmark bookmarked wishlist wishlisted addtowishlist follow "
        "followed subscribe subscribed share shared recommend recommended heart positive accept "
        "accepted",
    ),
    (
        DEFAULT_SIGNALS["dislike"],
        "dislike disliked thumbsdown thumbdown downvote hate hated notinterested negative reject "
        "rejected",
    ),
    (
        DEFAULT_SIGNALS["purchase"],
        "purchase purchased buy bought order ordered checkout transaction payment paid sale sold "
        "conversion converted book booked booking reserve reserved rent rented install installed "
        "download downloaded borrow borrowed",
    ),
    (_CART, "cart addtocart addedtocart basket addtobasket addtobag add intent"),
    (
        DEFAULT_SIGNALS["click"],
        "click clicked clk tap tapped open opened select selected visit visited",
    ),
    (
        DEFAULT_SIGNALS["view"],
        "view viewed pv pageview detail detailview productview itemview see seen browse browsed "
        "hover preview start started",
    ),
    (
        DEFAULT_SIGNALS["complete"],
        "complete completed finish finished play played listen listened watch watched stream "
        "streamed read use used consume consumed",
    ),
    (DEFAULT_SIGNALS["skip"], "skip skipped pass passed ignore ignored dismiss dismissed"),
    (
        DEFAULT_SIGNALS["hide"],
        "hide hidden block blocked ban banned report reported uninstall uninstalled",
    ),
    (_RETURN, "return returned refund refunded cancel canceled cancelled unsubscribe unsubscribed"),
    (
        _WITHDRAWN,
        "remove removed removefromcart removedfromcart removefromwishlist unlike unliked unfollow "
        "unfollowed unstar unsave",
    ),
    (
        DEFAULT_SIGNALS["impression"],
        "impression impressions imp shown show display displayed expose exposed exposure served",
    ),
    (DEFAULT_SIGNALS["rating"], "rating rate rated stars score review reviewed"),
)

USUAL_SIGNALS: Mapping[str, Signal] = {
    name: signal for signal, names in _MEANINGS for name in names.split()
}
"""Rows of a signal table by folded name: `add_to_cart` and `AddToCart` are `addtocart`."""


def usual_signal(name: str) -> Signal | None:
    """The row for a usual name; None: the name says nothing.

    >>> usual_signal("Add_To_Cart").reward, usual_signal("evt17")
    (0.7, None)
    """
    return USUAL_SIGNALS.get(folded(name))
