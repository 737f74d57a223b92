"""The engines behind a front, which are called replicas here: which are up, and which answers what.

A request goes to one replica, and its answer comes back in pieces. Every wait has an end. Knows no
Ray: how to reach a replica is the replica's own affair. Nor does it know HTTP's bodies: `front`
makes requests of what clients send, and answers of pieces.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from netweight.server import routing
from netweight.server.problems import Problem

log = logging.getLogger(__name__)

RETRY_AFTER_S = 5


@dataclass(frozen=True)
class Ask:
    """A request, as it goes to a replica."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


class Opening(NamedTuple):
    """How an answer begins; `route` is the path of the API that gave it, if one did."""

    status: int
    headers: Sequence[tuple[bytes, bytes]]
    route: str | None


class Piece(NamedTuple):
    """Some of an answer; the first one has its opening."""

    opening: Opening | None
    body: bytes
    is_last: bool


class ReplicaLost(Exception):
    """A replica does not answer, and why."""


class Replica(Protocol):
    """An engine with the whole API around it, somewhere else."""

    @property
    def name(self) -> str:
        """As engine-0."""
        ...

    def ask(self, ask: Ask) -> AsyncGenerator[Piece]:
        """The answer. Closing it cancels the request. Raises ReplicaLost."""
        ...

    def beats(self) -> AsyncGenerator[str | None]:
        """Why it takes no requests, or None: it does; again and again. Raises ReplicaLost."""
        ...


@dataclass(frozen=True)
class Patience:
    """How long the front waits, in seconds."""

    silence: float = 15.0  # between two beats, until a replica counts as lost
    pause: float = 1.0  # until a lost replica is listened to again
    replica: float = 30.0  # for a replica to come up while none is
    fetch: float = 5.0  # for what the front wants to know itself
    overtime: float = 300.0  # after the time that an answer may take without a sign of life


PATIENCE = Patience()


class _Limit:
    """How long an answer is waited for. Once it is ended, nothing puts that off."""

    def __init__(self, timeout: asyncio.Timeout, quiet_s: float | None) -> None:
        self._timeout, self._quiet_s, self._is_ended = timeout, quiet_s, False

    def extend(self) -> None:
        """There was a sign of life."""
        if not self._is_ended and self._quiet_s is not None:
            self._timeout.reschedule(asyncio.get_running_loop().time() + self._quiet_s)

    def end(self) -> None:
        """Wait no longer."""
        self._is_ended = True
        self._timeout.reschedule(asyncio.get_running_loop().time())


@dataclass(eq=False)
class _Seat:
    """A replica, and what the front knows of it."""

    replica: Replica
    state: str = "starting"
    limits: set[_Limit] = field(default_factory=set)  # of requests that it answers

    @property
    def is_up(self) -> bool:
        return self.state == "ok"

    def end_all(self) -> None:
        """Wait no longer for the answers under way."""
        for limit in self.limits:
            limit.end()


class Fleet:
    """The replicas: which are up, what they have to do, and where conversations were."""

    def __init__(self, replicas: Sequence[Replica], patience: Patience) -> None:
        """Nothing is known of the replicas until `watching` begins."""
        self.patience = patience
        self.refusal: str | None = None
        self.num_retries = 0
        self.num_lost = 0
        self._homes = routing.Homes()
        self._seats = {replica.name: _Seat(replica) for replica in replicas}
        self._news = asyncio.Event()

    @property
    def is_busy(self) -> bool:
        """Whether answers are under way."""
        return any(seat.limits for seat in self._seats.values())

    @property
    def states(self) -> dict[str, str]:
        """How each replica is: ok, or why it gets no requests."""
        return {name: seat.state for name, seat in self._seats.items()}

    @property
    def replicas_up(self) -> list[Replica]:
        """Those that are up."""
        return [seat.replica for seat in self._seats.values() if seat.is_up]

    def refuse(self) -> None:
        """Take no more requests; those under way go on."""
        self.refusal = "the server is stopping"
        self._news.set()

    def drain(self) -> None:
        """Take no more requests, and end those under way."""
        self.refuse()
        for seat in self._seats.values():
            seat.end_all()

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[None]:
        """While the block lasts, all replicas are listened to."""
        watches = [asyncio.ensure_future(self._watch(seat)) for seat in self._seats.values()]
        try:
            yield
        finally:
            for watch in watches:
                watch.cancel()
            await asyncio.gather(*watches, return_exceptions=True)

    async def _watch(self, seat: _Seat) -> None:
        while True:
            try:
                async with asyncio.timeout(self.patience.silence) as timeout:
                    await self._listen(seat, _Limit(timeout, self.patience.silence))
            except (TimeoutError, ReplicaLost) as error:
                log.debug("%s is not heard: %s", seat.replica.name, error)
            self._note(seat, "lost")
            seat.end_all()
            await asyncio.sleep(self.patience.pause)

    async def _listen(self, seat: _Seat, limit: _Limit) -> None:
        async with aclosing(seat.replica.beats()) as beats:
            async for refusal in beats:
                self._note(seat, refusal or "ok")
                limit.extend()

    def _note(self, seat: _Seat, state: str) -> None:
        if seat.state != state:
            log.log(
                logging.INFO if state == "ok" else logging.WARNING,
                "%s was %s and is now: %s",
                *(seat.replica.name, seat.state, state),
            )
            self.num_lost += seat.is_up
        seat.state = state
        if seat.is_up:
            self._news.set()

    def check_open(self) -> None:
        """Raise the Problem of a server that takes no requests."""
        if self.refusal:
            raise Problem(f"{self.refusal}; try again later.", status=503, code="unavailable")

    async def find(self, affinity: routing.Affinity, tried: Sequence[str] = ()) -> Replica:
        """The replica for a request; waits for one to come up while none is.

        Those that have tried and were lost are asked again only where there is no other.

        Raises:
            Problem: when none does.
        """
        self.check_open()
        if not self.replicas_up:
            await self._wait_for_one()
        loads = {name: len(seat.limits) for name, seat in self._seats.items() if seat.is_up}
        fresh = {name: load for name, load in loads.items() if name not in tried}
        name = routing.choose(affinity, fresh or loads, self._homes)
        if affinity.key is not None:
            self._homes.put(affinity.key, name)
        return self._seats[name].replica

    def remember(self, ids: Sequence[str], replica: Replica) -> None:
        """These responses and containers are at a replica."""
        for what in ids:
            self._homes.put(what, replica.name)

    async def _wait_for_one(self) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self.patience.replica):
                while not self.replicas_up and not self.refusal:
                    self._news.clear()
                    await self._news.wait()
        self.check_open()
        if not self.replicas_up:
            raise Problem(
                f"no engine is up, of {len(self._seats)}; lost ones are started again. Try again "
                "later.",
                status=503,
                code="no_engine",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )

    async def relay(
        self,
        replica: Replica,
        ask: Ask,
        take: Callable[[Piece], Awaitable[None]],
        quiet_s: float | None,
    ) -> None:
        """Let a replica answer; `quiet_s` is how long it may take between two pieces.

        Raises:
            ReplicaLost: when its answer does not come to its end.
            Problem: when the server stops, or the replica is silent for too long.
        """
        seat = self._seats[replica.name]
        try:
            async with asyncio.timeout(quiet_s) as timeout:
                limit = _Limit(timeout, quiet_s)
                seat.limits.add(limit)
                try:
                    await _take_all(replica.ask(ask), take, limit)
                finally:
                    seat.limits.discard(limit)
        except ReplicaLost:
            if seat.is_up:  # until its next beat, it is left alone
                self._note(seat, "lost")
            raise
        except TimeoutError:
            self.check_open()
            if not seat.is_up:
                raise ReplicaLost("it is not heard any more") from None
            raise Problem(
                f"{replica.name} gave no sign of this answer for {quiet_s} seconds.",
                status=504,
                code="timeout",
                headers={"x-should-retry": "false"},
            ) from None

    async def fetch(self, replica: Replica, path: str) -> bytes | None:
        """What a replica answers to a GET; None when it is lost over it."""
        body = bytearray()

        async def take(piece: Piece) -> None:
            body.extend(piece.body)

        try:
            ask = Ask("GET", path, path.encode(), b"", (), b"")
            await self.relay(replica, ask, take, self.patience.fetch)
        except (ReplicaLost, Problem) as error:
            log.warning("%s did not give its %s: %s", replica.name, path, error)
            return None
        return bytes(body)


async def _take_all(
    pieces: AsyncGenerator[Piece],
    take: Callable[[Piece], Awaitable[None]],
    limit: _Limit,
) -> None:
    async with aclosing(pieces):
        async for piece in pieces:
            limit.extend()
            await take(piece)
            if piece.is_last:
                return
    raise ReplicaLost("its answer has no end")
