"""Lock, read and write locks, semaphore: exclusion under several clients, cancellation, the holder's death."""
import threading

from kazoo.exceptions import LockTimeout
from kazoo.retry import KazooRetry

from common import client, raises, run, same, thread, until, SERVERS


def exclusion():
    inside, most, total = [0], [0], [0]
    guard = threading.Lock()

    def work(k):
        c = client([SERVERS[k % len(SERVERS)]])
        lock = c.Lock('/lock', 'worker %d' % k)
        for _ in range(5):
            with lock:
                with guard:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                value = int(c.get('/count')[0])
                c.set('/count', str(value + 1).encode())
                with guard:
                    inside[0] -= 1
                    total[0] += 1

    client().create('/count', b'0')
    threads = [thread(work, k) for k in range(6)]
    for t in threads:
        t.join(30)
    same((total[0], most[0]), (30, 1), 'entries, and most holders at once')
    same(client().get('/count')[0], b'30', 'increments under the lock')


def main():
    exclusion()
    a, b = client(), client(SERVERS[-1:])
    la, lb = a.Lock('/one', 'a'), b.Lock('/one', 'b')
    assert la.acquire()
    assert not lb.acquire(blocking=False)
    raises(LockTimeout, lb.acquire, timeout=0.3)
    same(la.contenders(), ['a'])
    got = []
    t = thread(lambda: got.append(lb.acquire(timeout=10)))
    until('the second contender', lambda: la.contenders() == ['a', 'b'])
    a.stop()  # the session ends, and with it its lock
    t.join(10)
    same(got, [True], 'the lock after its holder went')
    lb.release()
    c, d, e = client(), client(), client()
    r1, r2, w = c.ReadLock('/rw', 'r1'), d.ReadLock('/rw', 'r2'), e.WriteLock('/rw', 'w')
    assert r1.acquire(timeout=5) and r2.acquire(timeout=5), 'two readers at once'
    raises(LockTimeout, w.acquire, timeout=0.3)
    r1.release()
    r2.release()
    assert w.acquire(timeout=5)
    raises(LockTimeout, c.ReadLock('/rw', 'r3').acquire, timeout=0.3)
    w.release()
    s1, s2, s3 = (x.Semaphore('/sem', str(k), max_leases=2) for k, x in enumerate((c, d, e)))
    assert s1.acquire() and s2.acquire()
    assert not s3.acquire(blocking=False)
    same(sorted(s1.lease_holders()), ['0', '1'])
    s1.release()
    assert s3.acquire(timeout=5)


run(main)
