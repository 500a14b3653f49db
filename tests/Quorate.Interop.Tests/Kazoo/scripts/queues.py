"""Queue and locking queue: order, priority, each item once among several takers."""
import threading

from common import client, run, same, thread, until, SERVERS


def main():
    c = client()
    q = c.Queue('/queue')
    same((len(q), q.get()), (0, None))
    for item in (b'one', b'two', b'three'):
        q.put(item)
    q.put(b'first', priority=10)
    same(len(q), 4)
    same([q.get() for _ in range(4)], [b'first', b'one', b'two', b'three'])
    same(len(q), 0)

    lq = c.LockingQueue('/locking')
    lq.put_all([b'%d' % i for i in range(60)])
    same(len(lq), 60)
    seen, guard = [], threading.Lock()

    def take(k):
        own = client([SERVERS[k % len(SERVERS)]])
        queue = own.LockingQueue('/locking')
        while True:
            item = queue.get(3)
            if item is None:
                return
            assert queue.holds_lock()
            assert queue.consume()
            with guard:
                seen.append(int(item))
                if len(seen) >= 60:
                    return

    threads = [thread(take, k) for k in range(3)]
    for t in threads:
        t.join(30)
    same(sorted(seen), list(range(60)), 'each item once')
    lq.put(b'kept')
    a, b = client(), client()
    qa, qb = a.LockingQueue('/locking'), b.LockingQueue('/locking')
    same(qa.get(5), b'kept')
    same(qb.get(0.3), None, 'a locked item is not given twice')
    a.stop()  # its lock is ephemeral: the item comes back
    same(until('the item of the dead taker', lambda: qb.get(1)), b'kept')
    assert qb.consume()
    same(len(qb), 0)


run(main)
