"""The smart home's client for asyncio: the twin of `penchant_sdk.home.client`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from penchant_sdk.aio import AsyncPenchant
from penchant_sdk.home import _feedback, _plans
from penchant_sdk.home._nearest import Voting
from penchant_sdk.home._sentences import canonical
from penchant_sdk.home.types import Action, Entity, Interpretation, Understood
from penchant_sdk.records import PutItemsResult
from penchant_sdk.types import Event, FeedbackAck


class AsyncHomeClient:
    """Understands sentences about one home, learns its people's habits.

    Connection, deadlines, retries and errors are those of the `AsyncPenchant` that it is given.
    Locks, doors, ovens, alarms, valves and what else may do harm never act without a yes.
    """

    def __init__(
        self,
        penchant: AsyncPenchant,
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

    async def register(self, entities: Sequence[Entity]) -> PutItemsResult:
        """Makes these the home's entities: their actions become items, and habits can form.

        Takes a few seconds, for the encoder reads the actions and the known sentences. Putting the
        same home again changes nothing.

        Args:
            entities: all of them, groups too where one action shall reach several devices.

        Raises:
            InvalidRequest: two have one id.
        """
        return await self._penchant._driver.run(
            _plans.register(self._home, entities), self._penchant._bulk(None)
        )

    async def interpret(
        self, text: str, *, user: str, room: str, at: datetime | None = None
    ) -> Interpretation:
        """What a sentence means; nothing is done and nothing learnt.

        Args:
            text: what was said.
            user: who said it.
            room: where it was said; empty: not known.
            at: when, by the home's clock. Default: now, by this machine's.
        """
        return await self._penchant._driver.run(
            _plans.interpret(self._home, text, user, room, at), self._penchant._limit(None)
        )

    async def understand(self, texts: Sequence[str]) -> tuple[Understood | None, ...]:
        """What the nearest known sentences make of free sentences; None: refused.

        Neither templates nor the home's entities are asked: this is for measuring the encoder.

        Args:
            texts: the sentences, in the home's language.
        """
        return await self._penchant._driver.run(
            _plans.understand(self._home, texts), self._penchant._bulk(None)
        )

    def describe(self, action: Action) -> str:
        """An action as a plain command in the home's language, for people to hear or read."""
        return canonical(action, self._home.entity(action.entity), self._home.language)

    async def suggested(self, said: Interpretation) -> FeedbackAck:
        """The first suggestion was offered; unanswered for long, it counts a little against it."""
        return await self._send(_feedback.suggested(said))

    async def accepted(self, said: Interpretation, action: Action | None = None) -> FeedbackAck:
        """An action was done and was right.

        Args:
            said: what `interpret` returned.
            action: which. Default: the first suggestion.
        """
        return await self._send(_feedback.accepted(said, action))

    async def overridden(self, said: Interpretation, *, by: Action) -> FeedbackAck:
        """The user did something else instead of the first suggestion.

        Args:
            said: what `interpret` returned.
            by: what the user did.

        Raises:
            InvalidRequest: it is the same action.
        """
        return await self._send(_feedback.overridden(said, by))

    async def undone(self, said: Interpretation, action: Action | None = None) -> FeedbackAck:
        """The user took an action back.

        Args:
            said: what `interpret` returned.
            action: which. Default: the first suggestion.
        """
        return await self._send(_feedback.undone(said, action))

    async def _send(self, events: list[Event]) -> FeedbackAck:
        ack = await self._penchant.feedback(events)
        ack.raise_for_refused()
        return ack
