"""The smart home's synchronous client, over a `Penchant`.

>>> from penchant_sdk.home import Entity, HomeClient
>>> from penchant_sdk.testing import FakePenchant  # Penchant("localhost:8001") in real life
>>> home = HomeClient(FakePenchant(signals="home"))
>>> lamp, door = Entity("light.hall", "hall lamp", room="hall"), Entity("lock.front", "front door")
>>> put = home.register([lamp, door])
>>> home.interpret("turn on the hall lamp", user="ann", room="hall").act
Action(intent='HassTurnOn', entity='light.hall', parameter=None)
>>> asked = home.interpret("unlock the front door", user="ann", room="hall")
>>> asked.act, asked.question
(None, 'Shall I unlock the front door?')
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from penchant_sdk.client import Penchant
from penchant_sdk.home import _feedback, _plans
from penchant_sdk.home._nearest import Voting
from penchant_sdk.home._sentences import canonical
from penchant_sdk.home.types import Action, Entity, Interpretation, Understood
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import Event, FeedbackAck


class HomeClient:
    """Understands sentences about one home, learns its people's habits; safe between threads.

    Connection, deadlines and retries are those of the `Penchant` that it is given, and so are the
    errors. Locks, doors, ovens, alarms, valves and what else may do harm never act without a yes.
    """

    def __init__(
        self,
        penchant: Penchant,
        *,
        language: str = "en",
        never_without_confirmation: Collection[str] = (),
        voting: Voting | None = None,
    ) -> None:
        """Makes the client; the first call is that of `register`.

        Args:
            penchant: a client of the server.
            language: en or zh-CN.
            never_without_confirmation: What else always asks: entity ids, names, domains, device
                classes or rooms, letter for letter.
            voting: How free sentences are decided. Default: as measured with Penchant's encoder.

        Raises:
            InvalidRequest: a language that there is nothing for.
        """
        self._penchant = penchant
        self._home = _plans.Home(language, never_without_confirmation, voting)

    def register(self, entities: Sequence[Entity]) -> PutItemsResult:
        """Makes these the home's entities: their actions become items, and habits can form.

        Takes a few seconds, for the encoder reads the actions and the known sentences. Putting the
        same home again changes nothing.

        Args:
            entities: all of them, groups too where one action shall reach several devices.

        Raises:
            InvalidRequest: two have one id.
        """
        return self._penchant._driver.run(
            _plans.register(self._home, entities), self._penchant._bulk(None)
        )

    def interpret(
        self, text: str, *, user: str, room: str, at: datetime | None = None
    ) -> Interpretation:
        """What a sentence means; nothing is done and nothing learnt.

        Args:
            text: what was said.
            user: who said it.
            room: where it was said; empty: not known.
            at: when, by the home's clock. Default: now, by this machine's.
        """
        return self._penchant._driver.run(
            _plans.interpret(self._home, text, user, room, at), self._penchant._limit(None)
        )

    def understand(self, texts: Sequence[str]) -> tuple[Understood | None, ...]:
        """What the nearest known sentences make of free sentences; None: refused.

        Neither templates nor the home's entities are asked: this is for measuring the encoder.

        Args:
            texts: the sentences, in the home's language.
        """
        return self._penchant._driver.run(
            _plans.understand(self._home, texts), self._penchant._bulk(None)
        )

    def describe(self, action: Action) -> str:
        """An action as a plain command in the home's language, for people to hear or read.

        >>> from penchant_sdk.testing import FakePenchant
        >>> HomeClient(FakePenchant(signals="home")).describe(Action("HassStartTimer", ""))
        'start a timer'
        """
        return canonical(action, self._home.entity(action.entity), self._home.language)

    def suggested(self, said: Interpretation) -> FeedbackAck:
        """The first suggestion was offered; unanswered for long, it counts a little against it."""
        return self._send(_feedback.suggested(said))

    def accepted(self, said: Interpretation, action: Action | None = None) -> FeedbackAck:
        """An action was done and was right.

        Args:
            said: what `interpret` returned.
            action: which. Default: the first suggestion.
        """
        return self._send(_feedback.accepted(said, action))

    def overridden(self, said: Interpretation, *, by: Action) -> FeedbackAck:
        """The user did something else instead of the first suggestion.

        Args:
            said: what `interpret` returned.
            by: what the user did.

        Raises:
            InvalidRequest: it is the same action.
        """
        return self._send(_feedback.overridden(said, by))

    def undone(self, said: Interpretation, action: Action | None = None) -> FeedbackAck:
        """The user took an action back.

        Args:
            said: what `interpret` returned.
            action: which. Default: the first suggestion.
        """
        return self._send(_feedback.undone(said, action))

    def _send(self, events: list[Event]) -> FeedbackAck:
        ack = self._penchant.feedback(events)
        ack.raise_for_refused()
        return ack
