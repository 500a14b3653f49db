"""Nodes as kazoo's own test_client uses them: data, names, sequences, Stats, sizes, chroot."""
from kazoo.exceptions import BadArgumentsError, BadVersionError, ConnectionLoss, NoChildrenForEphemeralsError, NodeExistsError, NoNodeError, NotEmptyError

from common import client, raises, run, same, until, KazooState


def main():
    c = client()
    same(c.create('/1'), '/1')
    raises(NodeExistsError, c.create, '/1')
    raises(NoNodeError, c.create, '/a/b/c')
    same(c.create('/a/b/c/d', b'x', makepath=True), '/a/b/c/d')
    same(c.get('/a/b/c/d')[0], b'x')
    c.create('/\u00e9\u96ea')
    assert '\u00e9\u96ea' in c.get_children('/')
    raises(BadArgumentsError, c.create, '/\x00')
    raises(BadArgumentsError, c.create, '/\x1e')
    c.create('/null', None)
    assert c.get('/null')[0] in (None, b'')  # which of the two is a matter of kazoo's version
    same(c.get('/null')[1].data_length, 0)
    path, stat = c.create('/stat', b'hello', include_data=True)
    same(c.get(path)[1], stat, 'the Stat of create2 and of get')
    same(stat.data_length, 5)
    same(c.set('/stat', b'', version=0).version, 1)
    raises(BadVersionError, c.set, '/stat', b'z', version=0)
    raises(NoNodeError, c.set, '/none', b'')
    same([c.create('/seq/', makepath=True, sequence=True) for _ in range(3)], ['/seq/000000000%d' % i for i in range(3)])
    same(c.create('/seq/x-', sequence=True, ephemeral=True), '/seq/x-0000000003')
    c.create('/e', ephemeral=True)
    same(c.exists('/e').ephemeralOwner, c.client_id[0])
    raises(NoChildrenForEphemeralsError, c.create, '/e/c')
    raises(NotEmptyError, c.delete, '/a')
    c.delete('/a', recursive=True)
    same(c.exists('/a'), None)
    raises(NoNodeError, c.delete, '/a')
    children, stat = c.get_children('/seq', include_data=True)
    same(sorted(children), ['0000000000', '0000000001', '0000000002', 'x-0000000003'])
    same((stat.children_count, stat.cversion), (4, 4))
    same(c.sync('/seq'), '/seq')
    c.ensure_path('/x/y/z')
    assert c.exists('/x/y/z')
    c.create('/big', b'x' * 512 * 1024)
    same(len(c.get('/big')[0]), 512 * 1024)
    big = client(connection_retry=None)
    states = []
    big.add_listener(states.append)
    raises(ConnectionLoss, big.create, '/bigger', b'x' * 2 * 1024 * 1024)
    until('the connection after a frame that is too big', lambda: KazooState.CONNECTED in states)
    same(c.exists('/bigger'), None)
    futures = [c.create_async('/async-', sequence=True) for _ in range(300)]
    same([f.get(10) for f in futures], ['/async-%010d' % (n + int(futures[0].get()[-10:])) for n in range(300)])
    assert c.command(b'ruok') == 'imok'


run(main)
