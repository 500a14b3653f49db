"""Counter: exact under several clients at several members."""
from common import client, run, same, thread, SERVERS


def main():
    def work(k):
        c = client([SERVERS[k % len(SERVERS)]])
        counter = c.Counter('/counter')
        for _ in range(20):
            counter += 2
            counter -= 1

    threads = [thread(work, k) for k in range(4)]
    for t in threads:
        t.join(60)
    c = client()
    c.sync('/counter')
    same(c.Counter('/counter').value, 80)
    f = c.Counter('/float', default=0.0)
    f += 1.5
    same(f.value, 1.5)


run(main)
