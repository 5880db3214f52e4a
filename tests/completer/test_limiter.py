"""How many calls are in flight, told by the limiter alone and by what a server sees."""

import asyncio
import selectors

from tasks.completers.limiter import AdaptiveLimiter


class Skipping(selectors.DefaultSelector):
    """Skips what a loop would wait, and keeps the time that it would be."""

    now_s = 0.0

    def select(self, timeout=None):
        if timeout is None:
            return super().select()
        self.now_s += max(0.0, timeout)
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop whose time passes only in waits, however busy the machine is."""

    def __init__(self):
        self._skipping = Skipping()
        super().__init__(self._skipping)

    def time(self):
        return self._skipping.now_s


def run(scene):
    with asyncio.Runner(loop_factory=SkippingLoop) as runner:
        return runner.run(scene)


async def finish(limiter, num):
    """Let so many calls wait, pass and succeed, each in a moment, however many there are."""

    async def call():
        await limiter.acquire()
        await asyncio.sleep(0.002)
        limiter.succeeded()
        limiter.release()

    await asyncio.gather(*(call() for _ in range(num)))


async def refuse(limiter, num):
    """Let so many calls pass and be refused, one after the other."""
    await asyncio.sleep(0.001)
    for _ in range(num):
        limiter.overloaded(await limiter.acquire())
        limiter.release()


def test_the_limit_rises_by_one_a_call_until_the_first_trouble():
    async def rise():
        limiter = AdaptiveLimiter(start=2, maximum=100)
        await finish(limiter, 100)
        return limiter.limit

    assert 40 <= run(rise()) <= 100  # the last calls leave slots unused


def test_after_a_halving_the_limit_rises_by_one_a_round_trip():
    async def rise():
        limiter = AdaptiveLimiter(start=20, maximum=100)
        await refuse(limiter, 7)  # more than a third of 20
        halved = limiter.limit
        await finish(limiter, 10 + 11 + 12 + 13)
        return halved, limiter.limit

    halved, risen = run(rise())
    assert halved == 10
    assert 12 <= risen <= 14


async def ask_server(limiter, num, slots, seconds):
    """Ask a server that answers so many calls at once, each in so many seconds for all it holds."""
    served, held = asyncio.Semaphore(slots), 0

    async def call():
        nonlocal held
        await limiter.acquire()
        async with served:
            held += 1
            await asyncio.sleep(seconds(held))
            held -= 1
        limiter.succeeded()
        limiter.release()

    await asyncio.gather(*(call() for _ in range(num)))


def test_the_limit_rises_where_a_server_batches_and_latency_grows_less_than_the_calls():
    async def batching():
        limiter = AdaptiveLimiter(start=4, maximum=64)
        await ask_server(limiter, 1500, 64, lambda held: 0.004 * held**0.5)  # 8 times as many a s
        return limiter.peak

    assert run(batching()) == 64


def test_the_limit_holds_soon_after_more_calls_only_wait_longer():
    async def queueing():
        limiter = AdaptiveLimiter(start=4, maximum=1000)
        await ask_server(limiter, 2000, 20, lambda _: 0.01)
        return limiter.peak

    assert 20 <= run(queueing()) <= 120


def test_that_replies_once_came_faster_is_forgotten():
    async def longer_replies():
        limiter = AdaptiveLimiter(start=4, maximum=1000)
        await ask_server(limiter, 60, 1000, lambda _: 0.001)
        before = limiter.limit
        await ask_server(limiter, 5000, 1000, lambda _: 0.02)
        return before, limiter.limit

    before, after = run(longer_replies())
    assert after > before


def test_the_limit_stays_between_one_and_the_maximum():
    async def both():
        limiter = AdaptiveLimiter(start=50, maximum=4)
        assert limiter.limit == 4
        await finish(limiter, 40)
        assert limiter.limit == 4
        for _ in range(5):
            await refuse(limiter, 6)
        assert limiter.limit == 1

    run(both())


def test_a_few_refusals_among_many_replies_do_not_halve():
    async def some_refused():
        limiter = AdaptiveLimiter(start=16, maximum=16)
        for _ in range(10):
            await refuse(limiter, 5)
            await finish(limiter, 11)
        return limiter.limit

    assert run(some_refused()) == 16


def test_calls_that_were_sent_before_a_halving_do_not_halve_again():
    async def refused_together():
        limiter = AdaptiveLimiter(start=16, maximum=16)
        sent = [await limiter.acquire() for _ in range(16)]
        await asyncio.sleep(0.001)
        for started_at in sent:
            limiter.overloaded(started_at)
        return limiter.limit

    assert run(refused_together()) == 8


def test_a_limit_that_is_not_used_does_not_rise():
    async def one_at_a_time():
        limiter = AdaptiveLimiter(start=4, maximum=100)
        for _ in range(20):
            await limiter.acquire()
            limiter.succeeded()
            limiter.release()
        return limiter.limit

    assert run(one_at_a_time()) == 4


def test_a_caller_that_went_away_takes_no_slot():
    async def gone():
        limiter = AdaptiveLimiter(start=1, maximum=1)
        await limiter.acquire()
        waiting = [asyncio.create_task(limiter.acquire()) for _ in range(3)]
        await asyncio.sleep(0)
        waiting[0].cancel()
        limiter.release()  # waiting[1] gets the slot, and goes away in the same moment
        waiting[1].cancel()
        await asyncio.wait_for(waiting[2], 1)
        limiter.release()
        await asyncio.wait_for(limiter.acquire(), 1)

    run(gone())


def test_a_call_that_is_tried_again_goes_before_those_that_wait():
    async def order():
        limiter = AdaptiveLimiter(start=1, maximum=1)
        passed = []

        async def call(name, first):
            await limiter.acquire(first=first)
            passed.append(name)
            limiter.release()

        await limiter.acquire()
        calls = [("new", False), ("also new", False), ("again", True)]
        waiting = [asyncio.create_task(call(*given)) for given in calls]
        await asyncio.sleep(0)
        limiter.release()
        await asyncio.gather(*waiting)
        return passed

    assert run(order()) == ["again", "new", "also new"]


def test_a_pause_holds_all_and_the_longest_counts():
    async def paused():
        loop = asyncio.get_running_loop()
        limiter = AdaptiveLimiter(start=4, maximum=4)
        start_s = loop.time()
        limiter.pause(0.15)
        limiter.pause(0.05)
        times = await asyncio.gather(*(limiter.acquire() for _ in range(4)))
        return [time - start_s for time in times]

    assert all(0.14 < waited_s < 0.5 for waited_s in run(paused()))
