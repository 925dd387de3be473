"""The updaters, by their names in the setting `updater`.

All of them see the same events, weights and prior (equations 1 and 3 of `penchant.domain.interest`)
and replace equation 2, each in its own way.
"""

from __future__ import annotations

from collections.abc import Mapping

from penchant.domain.updaters import adagrad, diagonal, logistic, ogd, prototypes, ridge
from penchant.domain.updaters.observations import Updater

UPDATERS: Mapping[str, Updater] = {
    "ridge": ridge,
    "logistic": logistic,
    "diagonal": diagonal,
    "ogd": ogd,
    "adagrad": adagrad,
    "prototypes": prototypes,
}
