"""The asynchronous client of a smart home.

>>> import asyncio
>>> from penchant_sdk.home import Entity
>>> from penchant_sdk.testing import AsyncFakePenchant  # AsyncPenchant("localhost:8001") in use
>>> lamp, door = Entity("light.hall", "hall lamp", room="hall"), Entity("lock.front", "front door")
>>> async def main() -> tuple[object, ...]:
...     home = AsyncHomeClient(AsyncFakePenchant(signals="home"))
...     put = await home.register([lamp, door])
...     clear = await home.interpret("turn on the hall lamp", user="ann", room="hall")
...     risky = await home.interpret("unlock the front door", user="ann", room="hall")
...     return clear.act.entity, risky.act, risky.question
>>> asyncio.run(main())
('light.hall', None, 'Shall I unlock the front door?')
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.home import _feedback, _operations
from penchant_sdk.home._nearest import Voting
from penchant_sdk.home._sentences import canonical
from penchant_sdk.home.types import (
    Action,
    DeviceState,
    Entity,
    Interpretation,
    Understood,
)
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import Event, FeedbackAck


class AsyncHomeClient:
    """Interprets sentences about one home and learns its users' habits.

    Safe to share between tasks of one event loop. Timeout, retries and errors are the connection's.
    Actions on locks, doors, ovens, alarms, valves and anything else that can do harm always ask for
    confirmation first.
    """

    def __init__(
        self,
        penchant: AsyncPenchant,
        *,
        language: str = "en",
        never_without_confirmation: Collection[str] = (),
        voting: Voting | None = None,
        schedules: bool = False,
    ) -> None:
        """Makes a client of a home without entities; call `register` first.

        Args:
            penchant: the connection to the server.
            language: en or zh-CN.
            never_without_confirmation: further entities that always ask for confirmation: entity
                ids, names, domains, device classes or rooms, matched exactly.
            voting: how the nearest known sentences decide the intent of a free sentence. Default:
                the values measured with Penchant's encoder.
            schedules: whether the caller does actions at their time, `Action.when`. False: the
                client asks whether to act at once instead.

        Raises:
            InvalidRequest: the language is not supported.
        """
        self._penchant = penchant
        self._home = _operations.Home(
            language, never_without_confirmation, voting, schedules=schedules
        )

    async def register(self, entities: Sequence[Entity]) -> PutItemsResult:
        """Replaces the home's entities; their actions become items, for which habits can form.

        Takes a few seconds, because the server encodes the actions and the known sentences.
        Registering the same home again changes nothing.

        Args:
            entities: all entities of the home, including groups that one action should reach.

        Raises:
            InvalidRequest: two entities have the same id.
        """
        return await self._penchant.run(_operations.register(self._home, entities), bulk=True)

    async def interpret(
        self,
        text: str,
        *,
        user: str,
        room: str,
        at: datetime | None = None,
        states: Mapping[str, DeviceState] | None = None,
    ) -> Interpretation:
        """Interprets a sentence; does nothing and learns nothing.

        Args:
            text: the sentence.
            user: id of the speaker.
            room: room of the speaker. Empty: unknown.
            at: time by the home's clock. None: now, by this machine's clock.
            states: current states by entity id, with which "brighter" becomes a brightness.
                Default: unknown; actions then have steps.
        """
        return await self._penchant.run(
            _operations.interpret(self._home, text, user, room, at, states)
        )

    async def understand(self, texts: Sequence[str]) -> tuple[Understood | None, ...]:
        """The intent of each free sentence, by the nearest known sentences; None if refused.

        Uses neither templates nor the home's entities, in order to measure the encoder alone.

        Args:
            texts: sentences in the home's language.
        """
        return await self._penchant.run(_operations.understand(self._home, texts), bulk=True)

    def describe(self, action: Action) -> str:
        """An action as a plain command in the home's language, for people to hear or read.

        >>> from penchant_sdk.testing import AsyncFakePenchant
        >>> home = AsyncHomeClient(AsyncFakePenchant(signals="home"))
        >>> home.describe(Action("HassStartTimer", ""))
        'start a timer'
        """
        return canonical(action, self._home.of(action), self._home.language)

    async def suggested(self, said: Interpretation) -> FeedbackAck:
        """The first suggestion was offered; if no answer follows, it loses a little.

        Args:
            said: the result of `interpret`.
        """
        return await self._feed_back(_feedback.suggested(self._home, said))

    async def accepted(self, said: Interpretation, action: Action | None = None) -> FeedbackAck:
        """An action was done and was right.

        Args:
            said: the result of `interpret`.
            action: the action. None: the first suggestion.
        """
        return await self._feed_back(_feedback.accepted(self._home, said, action))

    async def overridden(self, said: Interpretation, *, by: Action) -> FeedbackAck:
        """The user replaced the first suggestion by another action.

        Args:
            said: the result of `interpret`.
            by: the user's action.

        Raises:
            InvalidRequest: both actions are the same.
        """
        return await self._feed_back(_feedback.overridden(self._home, said, by))

    async def undone(self, said: Interpretation, action: Action | None = None) -> FeedbackAck:
        """The user undid an action.

        Args:
            said: the result of `interpret`.
            action: the action. None: the first suggestion.
        """
        return await self._feed_back(_feedback.undone(self._home, said, action))

    async def _feed_back(self, events: list[Event]) -> FeedbackAck:
        ack = await self._penchant.feedback(events)
        ack.raise_for_refused()
        return ack
