"""DataWatch, ChildrenWatch, one-shots, party: events in order, none twice, none lost."""
import threading

from common import client, run, same, thread, until, SERVERS


def main():
    c, w = client(), client(SERVERS[-1:])
    # one-shots
    events = []
    same(w.exists('/n', watch=events.append), None)
    c.create('/n')
    until('created', lambda: [e.type for e in events] == ['CREATED'])
    w.sync('/n')
    w.get('/n', watch=events.append)
    c.set('/n', b'1')
    until('changed', lambda: [e.type for e in events] == ['CREATED', 'CHANGED'])
    w.get_children('/n', watch=events.append)
    c.create('/n/c')
    until('child', lambda: [e.type for e in events][2:] == ['CHILD'])
    c.set('/n', b'2')
    c.create('/n/d')
    w.sync('/n')
    same(len(events), 3, 'one-shots fire once')
    # before any read that shows the change
    order = []
    w.get('/n', watch=lambda e: order.append('event'))
    c.set('/n', b'3')
    until('the new value', lambda: w.get('/n')[0] == b'3')
    until('event', lambda: order == ['event'])
    # DataWatch
    values, done = [], threading.Event()

    @w.DataWatch('/data')
    def on_data(data, stat, event):
        values.append((data, stat.version if stat else None))
        if data == b'end':
            done.set()
            return False

    until('the first call', lambda: values == [(None, None)])
    c.create('/data', b'0')
    until('created', lambda: (b'0', 0) in values)
    for i in range(1, 40):
        c.set('/data', b'%d' % i)
    c.delete('/data')
    c.create('/data', b'again')
    until('recreated', lambda: (b'again', 0) in values)
    c.set('/data', b'end')
    assert done.wait(10)
    versions = [v for d, v in values if v is not None and d not in (b'again', b'end')]
    same(versions, sorted(versions), 'data in order')
    same(len(values), len(set(values)) + values.count((None, None)) - (1 if (None, None) in values else 0), 'nothing twice')
    # ChildrenWatch
    lists = []
    c.create('/kids')

    w.sync('/kids')

    @w.ChildrenWatch('/kids')
    def on_kids(names):
        lists.append(sorted(names))

    for i in range(20):
        c.create('/kids/%02d' % i)
    until('all children', lambda: lists and len(lists[-1]) == 20)
    same([len(x) for x in lists], sorted(len(x) for x in lists), 'only more and more')
    # Party
    p1, p2 = c.Party('/party', 'a'), w.Party('/party', 'b')
    p1.join()
    p2.join()
    until('both', lambda: sorted(p1) == ['a', 'b'])
    w.stop()
    until('the one that stayed', lambda: sorted(p1) == ['a'])
    p1.leave()
    same(len(p1), 0)


run(main)
