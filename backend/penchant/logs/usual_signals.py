"""The usual names of signals in other people's logs, by the signal of ours that they mean.

Columns of yes and no are signals as well, by the name of the column and the answer.
"""

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
        "download downloaded borrow borrowed apply applied "
        "kaufen kauf gekauft bestellen bestellung bestellt acheter achat acheté commander commande "
        "comprar compra comprado pedido acquistare acquisto acquistato compraram comprou kopen "
        "gekocht aankoop besteld köp köpa kupić kupno zakup купить покупка 购买 購入",
    ),
    (
        _CART,
        "cart addtocart addedtocart basket addtobasket addtobag add intent "
        "warenkorb indenwarenkorb zumwarenkorb imwarenkorb panier ajouteraupanier ajoutaupanier "
        "aupanier carrito añadiralcarrito agregaralcarrito alcarrito carrello aggiungialcarrello "
        "carrinho adicionaraocarrinho winkelwagen inwinkelwagen dokoszyka "
        "加入购物车 カートに入れる",
    ),
    (
        DEFAULT_SIGNALS["click"],
        "click clicked clk tap tapped open opened select selected visit visited "
        "klick klicken geklickt klik clic cliquer cliqué clicado clique 点击 クリック",
    ),
    (
        DEFAULT_SIGNALS["view"],
        "view viewed pv pageview detail detailview productview itemview see seen browse browsed "
        "hover preview start started "
        "ansehen angesehen ansicht aufruf gesehen voir vu vue consulter consultation ver visto "
        "vista visualizar visualizado visualizzare visualizzato visualizzazione bekijken bekeken "
        "weergave просмотр 浏览 閲覧",
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

ANSWERS: Mapping[str, tuple[str, str]] = {
    **dict.fromkeys(("like", "liked", "isliked", "thumb", "thumbs"), ("like", "dislike")),
    **dict.fromkeys(("thumbsup", "thumbup", "gefällt", "aime"), ("like", "dislike")),
    **dict.fromkeys(("dislike", "disliked", "thumbsdown"), ("dislike", "view")),
    **dict.fromkeys(("click", "clicked", "isclick"), ("click", "impression")),
    **dict.fromkeys(("bought", "purchased"), ("purchase", "view")),
    **dict.fromkeys(("returned", "refunded", "cancelled", "canceled"), ("return", "purchase")),
    **dict.fromkeys(("skip", "skipped"), ("skip", "complete")),
}
"""The signals of yes and no in a column, by its folded name."""

UNANSWERED = "view"
"""The signal of a row whose answer is empty: the user had to do with the item, no more."""

_YES = frozenset(("true", "yes", "1", "t", "y", "ja", "oui", "si", "sí", "sim", "wahr", "vrai"))
_NO = frozenset(("false", "no", "0", "-1", "f", "n", "nein", "non", "não", "nao", "falsch", "faux"))


def answer_of(text: str) -> bool | None:
    """What a cell of yes and no says; None: neither.

    >>> answer_of("True"), answer_of("0"), answer_of("perhaps")
    (True, False, None)
    """
    plain = text.strip().casefold().removesuffix(".0")
    return True if plain in _YES else False if plain in _NO else None


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
