"""A client loses its member and goes on at another one: same session, ephemerals there, watches back, nothing lost."""
from kazoo.protocol.connection import _CONNECTION_DROP

from common import client, run, same, until, KazooState, ROOT, SERVERS


def main():
    c = client(SERVERS[:1])
    other = client(SERVERS[-1:])
    states = []
    c.create('/e', b'mine', ephemeral=True)
    lock = c.Lock('/lock', 'c')
    lock.acquire()
    c.create('/watched', b'0')
    values, kids = [], []

    @c.DataWatch('/watched')
    def on_data(data, stat):
        values.append(data)

    @c.ChildrenWatch('/')
    def on_kids(names):
        kids.append(len(names))

    shots = []
    c.exists('/later', watch=lambda e: shots.append(e.type))
    c.add_listener(states.append)
    session = c.client_id
    for turn, server in enumerate(SERVERS[1:] + SERVERS[:1]):
        del states[:]
        c.set_hosts(server + ROOT, randomize_hosts=False)
        c._call(_CONNECTION_DROP, None)
        until('suspended', lambda: KazooState.SUSPENDED in states)
        until('connected again', lambda: states[-1:] == [KazooState.CONNECTED] and c.connected, 20)
        same(c.client_id, session, 'same session at ' + server)
        same(KazooState.LOST in states, False)
        same('%s:%d' % c._connection._socket.getpeername(), server, 'where it is connected')
        same(c.retry(c.get, '/e')[1].ephemeralOwner, session[0])
        other.sync('/e')
        assert other.exists('/e')
        assert lock.is_acquired and not other.Lock('/lock', 'o').acquire(blocking=False)
        other.set('/watched', b'%d' % (turn + 1))
        until('data watch %d' % turn, lambda: values[-1] == b'%d' % (turn + 1))
        n = len(kids)
        other.create('/kid%d' % turn)
        until('children watch %d' % turn, lambda: len(kids) > n)
    other.create('/later')
    lock.release()
    assert other.Lock('/lock', 'o').acquire(timeout=5)
    # what was queued while the connection was down is done afterwards, in order
    c._call(_CONNECTION_DROP, None)
    futures = []
    until('down or up again', lambda: True)
    for i in range(50):
        futures.append(c.retry(c.create_async, '/queued-', sequence=True))
    from kazoo.exceptions import ConnectionLoss
    done = []
    for f in futures:
        try:
            done.append(f.get(15))
        except ConnectionLoss:
            pass  # in flight when the connection went: may have happened or not
    same(done, sorted(done), 'in order')
    names = set(c.retry(c.get_children, '/'))
    same([p for p in done if p[1:] not in names], [], 'acknowledged and lost')


run(main)
