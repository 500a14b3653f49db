"""Barrier and double barrier."""
import threading

from common import client, run, same, thread, until, SERVERS


def main():
    c = client()
    b = c.Barrier('/barrier')
    assert b.wait(0.1), 'no barrier, no wait'
    b.create()
    assert not b.wait(0.2)
    passed = []
    other = client(SERVERS[-1:])
    other.sync('/barrier')
    t = thread(lambda: passed.append(other.Barrier('/barrier').wait(10)))
    same(b.remove(), True)
    t.join(10)
    same(passed, [True])
    same(b.remove(), False)

    inside, left, guard, gate = [], [], threading.Lock(), threading.Event()

    def party(k):
        own = client([SERVERS[k % len(SERVERS)]])
        d = own.DoubleBarrier('/double', 3, 'p%d' % k)
        d.enter()
        with guard:
            inside.append(k)
        gate.wait(20)
        d.leave()
        with guard:
            left.append(k)

    threads = [thread(party, k) for k in range(2)]
    until('two at the barrier', lambda: len([n for n in (c.get_children('/double') if c.exists('/double') else [])]) == 2)
    same(inside, [], 'two of three wait')
    threads.append(thread(party, 2))
    until('all inside', lambda: len(inside) == 3)
    same(left, [])
    gate.set()
    for t in threads:
        t.join(20)
    same(sorted(left), [0, 1, 2])


run(main)
