"""The alerts of a run: strategies that enter, pyramid, reduce, leave and turn, and all that senders get wrong."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from runtime.clock import NANOS
from simulation.scenario import Post, PricePath
from simulation.world.bodies import Body, Wish, body_of, broken_text, text_of
from simulation.world.draw import Draw, log_between, stream, times
from simulation.world.prices import price_at
from simulation.world.quiet import Hours

__all__ = ["posts_of"]

_STORIES_A_DAY: Final = 16 / 7
_TIMEFRAMES: Final = ("5", "15", "60", "240")
_BURSTS_A_DAY: Final = 0.15
_CONTRADICTIONS_A_DAY: Final = 0.9
_BROKEN_A_DAY: Final = 1.5

_Told = tuple[int, Wish]


def posts_of(seed: int, hours: Hours, paths: Sequence[PricePath]) -> list[Post]:
    """Return every post of a run, in no order."""
    sender = _Sender(seed, hours, paths)
    told = [*sender.stories(), *sender.bursts(), *sender.contradictions()]
    posts = [post for number, (at, wish) in enumerate(told) for post in sender.posted(number, at, wish)]
    return [*posts, *sender.broken()]


class _Sender:
    def __init__(self, seed: int, hours: Hours, paths: Sequence[PricePath]) -> None:
        self._seed = seed
        self._hours = hours
        self._paths = {path.symbol: path for path in paths}
        self._symbols = tuple(self._paths)

    # --- what they want ------------------------------------------------------------------------------------------------

    def stories(self) -> Iterator[_Told]:
        """Yield the alerts of positions from their first entry on, some of them begun close to one another."""
        draw = stream(self._seed, "stories")
        before = 0.0
        for at in times(draw, _STORIES_A_DAY, self._hours.loud_s):
            close_by = draw.random() < 0.3 and at - before > 900
            begin = min(before + draw.uniform(1, 900), at) if close_by and before else at
            before = at
            yield from self._story(draw, self._hours.at(begin))

    def _story(self, draw: Draw, at: int) -> Iterator[_Told]:
        symbol, timeframe = draw.choice(self._symbols), draw.choice(_TIMEFRAMES)
        short = draw.random() < (0.4 if ":" in symbol else 0.04)
        opens, closes, side = ("sell", "buy", "short") if short else ("buy", "sell", "long")
        size = 0
        for number in range(1 + draw.choices((0, 1, 2, 3, 4, 6), (6, 5, 4, 3, 2, 1))[0]):
            at += round(draw.expovariate(1 / 9_000) * NANOS) if number else 0
            yield at, Wish(symbol, timeframe, opens, (side, size + 1), (side if size else "flat", size))
            size += 1
            if size > 1 and draw.random() < 0.12:
                at += round(draw.uniform(60, 7_200) * NANOS)
                intent = draw.choice(("signal", "reduce"))
                yield at, Wish(symbol, timeframe, closes, (side, size - 1), (side, size), intent)
                size -= 1
        at += round(log_between(draw, (300, 100_000)) * NANOS)
        end = draw.random()
        if end < 0.5:
            intent = draw.choice(("signal", "signal", "exit"))
            yield at, Wish(symbol, timeframe, closes, ("flat", 0), (side, size), intent)
        elif end < 0.65:
            other = "long" if short else "short"
            yield at, Wish(symbol, timeframe, closes, (other, 1), (side, size), draw.choice(("reverse", "signal")))

    def bursts(self) -> Iterator[_Told]:
        """Yield ten alerts within a second, now and then."""
        draw = stream(self._seed, "bursts")
        for begin in times(draw, _BURSTS_A_DAY, self._hours.loud_s):
            at = self._hours.at(begin)
            for _ in range(10):
                yield at + draw.randrange(NANOS), self._any(draw)

    def contradictions(self) -> Iterator[_Told]:
        """Yield long and short at once, exits of nothing, positions that cannot have been."""
        draw = stream(self._seed, "contradictions")
        for begin in times(draw, _CONTRADICTIONS_A_DAY, self._hours.loud_s):
            at, symbol, timeframe = self._hours.at(begin), draw.choice(self._symbols), draw.choice(_TIMEFRAMES)
            soon = at + draw.randrange(1, 2 * NANOS)
            match draw.randrange(6):
                case 0:
                    yield at, Wish(symbol, timeframe, "buy", ("long", 1), ("flat", 0))
                    yield soon, Wish(symbol, timeframe, "sell", ("short", 1), ("flat", 0))
                case 1:
                    yield at, Wish(symbol, timeframe, "sell", ("flat", 0), ("long", 3), "exit")
                    yield soon, Wish(symbol, timeframe, "sell", ("flat", 0), ("long", 3), "exit")
                case 2:
                    yield at, Wish(symbol, timeframe, "buy", ("long", 7), ("short", 2))
                case 3:
                    yield at, Wish(symbol, timeframe, "buy", ("short", 1), ("flat", 0))
                case 4:
                    yield at, Wish(symbol, timeframe, "sell", ("flat", 0), ("flat", 0))
                case _:
                    yield at, Wish(symbol, timeframe, "sell", ("long", 5), ("long", 2), "reduce")

    def _any(self, draw: Draw) -> Wish:
        symbol, timeframe = draw.choice(self._symbols), draw.choice(_TIMEFRAMES)
        match draw.choices(("enter", "reduce", "exit"), (7, 1, 2))[0]:
            case "enter":
                return Wish(symbol, timeframe, "buy", ("long", 2), ("long", 1))
            case "reduce":
                return Wish(symbol, timeframe, "sell", ("long", 1), ("long", 2))
            case _:
                return Wish(symbol, timeframe, "sell", ("flat", 0), ("long", 2))

    # --- how it is posted ----------------------------------------------------------------------------------------------

    def posted(self, number: int, told_at: int, wish: Wish) -> Iterator[Post]:
        """Yield one alert and what may come besides it: again, late, too early, with another id."""
        draw = stream(self._seed, f"alert {number}")
        at = self._hours.later(told_at, draw)
        if at is None:
            return
        body = self._body(draw, wish, at, f"w{number}")
        yield Post(at, text_of(body))
        for post in self._besides(draw, wish, at, body):
            if self._hours.is_loud(post.at):
                yield post

    def _besides(self, draw: Draw, wish: Wish, at: int, body: Body) -> Iterator[Post]:
        chance = draw.random()
        if chance < 0.08:
            yield Post(at + draw.randrange(90 * NANOS), text_of(body))
        elif chance < 0.11:
            for wait in (5, 15, 35):
                yield Post(at + wait * NANOS + draw.randrange(NANOS), text_of(body))
        elif chance < 0.15:
            late = round(log_between(draw, (61, 7_200)))
            yield Post(at + draw.randrange(9 * NANOS), text_of({**body, "timestamp": at // 1_000_000 - late * 1_000}))
        elif chance < 0.17:
            early = draw.randint(5, 600)
            yield Post(at + draw.randrange(9 * NANOS), text_of({**body, "timestamp": at // 1_000_000 + early * 1_000}))
        elif chance < 0.2:
            again = at + draw.randrange(6 * NANOS)
            yield Post(again, text_of(self._body(draw, wish, again, f"{body['strategy_info']['trade_id']}b")))

    def broken(self) -> Iterator[Post]:
        """Yield what nobody can read."""
        draw = stream(self._seed, "broken")
        for number, begin in enumerate(times(draw, _BROKEN_A_DAY, self._hours.loud_s)):
            at = self._hours.at(begin)
            body = self._body(draw, self._any(draw), at, f"x{number}")
            yield Post(at, broken_text(body, draw))

    def _body(self, draw: Draw, wish: Wish, at: int, ident: str) -> Body:
        price = price_at(self._paths[wish.symbol], self._hours.start, self._hours.hours, at)
        return body_of(wish, draw, price, at, ident)
