"""The two signature algorithms that tokens may use, for joserfc."""

from __future__ import annotations

from typing import Any

from joserfc.errors import UnsupportedAlgorithmError
from joserfc.jws import JWSRegistry

ALGORITHMS = ("EdDSA", "RS256")


class TwoAlgorithms(JWSRegistry):
    """EdDSA and RS256, and nothing else.

    joserfc warns of EdDSA at each use, because the name also stands for Ed448 (RFC 9864); keys here
    are of Ed25519 alone.
    """

    def get_alg(self, name: str) -> Any:
        """The algorithm of a name.

        Raises:
            UnsupportedAlgorithmError: it is neither.
        """
        if name not in ALGORITHMS:
            raise UnsupportedAlgorithmError(f"{name} is not allowed")
        return self.algorithms[name]


REGISTRY = TwoAlgorithms(algorithms=ALGORITHMS, strict_check_header=False)
