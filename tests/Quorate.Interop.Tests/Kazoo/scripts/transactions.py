"""multi: all or nothing, per-operation errors, sequence numbers, create then use."""
from kazoo.exceptions import BadVersionError, NoNodeError, RolledBackError, RuntimeInconsistency

from common import client, raises, run, same


def main():
    c = client()
    c.create('/fred', b'x')
    t = c.transaction()
    t.create('/smith')
    t.create('/smith/s-', sequence=True)
    t.create('/e', ephemeral=True)
    t.set_data('/fred', b'oops', version=0)
    t.check('/fred', version=1)
    t.delete('/smith/s-0000000000')
    results = t.commit()
    same(results[:3], ['/smith', '/smith/s-0000000000', '/e'])
    same(results[3].version, 1)
    same(results[4:], [True, True])
    same(c.exists('/e').ephemeralOwner, c.client_id[0])
    t = c.transaction()
    t.create('/never')
    t.delete('/missing')
    t.create('/nor-this')
    results = t.commit()
    same([type(r) for r in results], [RolledBackError, NoNodeError, RuntimeInconsistency])
    same(c.exists('/never'), None)
    t = c.transaction()
    t.check('/fred', version=7)
    t.set_data('/fred', b'no')
    same([type(r) for r in t.commit()], [BadVersionError, RuntimeInconsistency])
    same(c.get('/fred')[0], b'oops')
    with c.transaction() as t:
        for i in range(200):
            t.create('/many-', sequence=True)
    same(len([n for n in c.get_children('/') if n.startswith('many-')]), 200)
    raises(TypeError, c.transaction().create, '/x', 4)


run(main)
