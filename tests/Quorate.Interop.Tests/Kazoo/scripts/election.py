"""Election: one leader at a time, the next one when it goes, cancellation."""
import threading

from common import client, run, same, thread, until, SERVERS


def main():
    leaders, all_leaders, gates, guard = [], [], {}, threading.Lock()
    clients = {}

    def stand(name, k):
        c = clients[name] = client([SERVERS[k % len(SERVERS)]])
        gates[name] = threading.Event()

        def lead():
            with guard:
                leaders.append(name)
                all_leaders.append(name)
                assert len(leaders) == 1, leaders
            gates[name].wait(30)
            with guard:
                leaders.remove(name)

        elections[name] = c.Election('/election', name)
        elections[name].run(lead)

    elections = {}
    threads = {n: thread(stand, n, k) for k, n in enumerate(['x', 'y', 'z'])}
    until('a first leader', lambda: len(leaders) == 1)
    until('three contenders', lambda: len(elections) == 3 and len(list(elections.values())[0].contenders()) == 3)
    order = list(elections['x'].contenders())
    same(leaders, order[:1], 'the leader is the first contender')
    elections[order[1]].cancel()
    threads[order[1]].join(10)
    assert not threads[order[1]].is_alive(), 'a cancelled candidate goes'
    gates[order[0]].set()
    until('the last candidate leads', lambda: leaders == [order[2]])
    gates[order[2]].set()
    threads[order[2]].join(10)
    same(all_leaders, [order[0], order[2]])


run(main)
