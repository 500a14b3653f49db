"""SetPartitioner and lease: members of a party share a set, without overlap, also when one goes."""
import datetime
import threading

from kazoo.recipe.partitioner import PartitionState

from common import client, run, same, thread, until, SERVERS


def main():
    held, stop, guard = {}, {k: threading.Event() for k in range(3)}, threading.Lock()

    def part(k):
        c = client([SERVERS[k % len(SERVERS)]])
        p = c.SetPartitioner('/set', set=tuple(range(9)), identifier='p%d' % k, time_boundary=0.5)
        while not stop[k].is_set():
            if p.failed:
                return
            if p.release:
                with guard:
                    held.pop(k, None)
                p.release_set()
            elif p.acquired:
                with guard:
                    held[k] = list(p)
                stop[k].wait(0.02)
            elif p.allocating:
                p.wait_for_acquire(5)
        p.finish()
        with guard:
            held.pop(k, None)

    def whole(n):
        with guard:
            parts = list(held.values())
        flat = [x for p in parts for x in p]
        assert len(flat) == len(set(flat)), parts
        return len(parts) == n and sorted(flat) == list(range(9))

    threads = [thread(part, k) for k in range(3)]
    until('a set in three parts', lambda: whole(3), 30)
    stop[1].set()
    until('a set in two parts', lambda: whole(2), 30)
    for k in stop:
        stop[k].set()
    for t in threads:
        t.join(10)
    assert PartitionState.ACQUIRED
    a, b = client(), client(SERVERS[-1:])
    assert a.NonBlockingLease('/lease', datetime.timedelta(seconds=30), identifier='a')
    b.sync('/lease')
    assert not b.NonBlockingLease('/lease', datetime.timedelta(seconds=30), identifier='b')
    same(bool(a.NonBlockingLease('/lease', datetime.timedelta(seconds=30), identifier='a')), True)


run(main)
