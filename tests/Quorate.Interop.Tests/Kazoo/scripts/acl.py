"""Digest, super-less ACLs: who may, who may not, auth again after a reconnect."""
from kazoo.exceptions import AuthFailedError, InvalidACLError, NoAuthError
from kazoo.protocol.connection import _CONNECTION_DROP
from kazoo.security import ACL, Id, make_acl, make_digest_acl, CREATOR_ALL_ACL, OPEN_ACL_UNSAFE, READ_ACL_UNSAFE

from common import client, raises, run, same, until


def main():
    owner, stranger = client(auth_data=[('digest', 'us\u00e9r:pa\u00df')]), client()
    mine = make_digest_acl('us\u00e9r', 'pa\u00df', all=True)
    owner.create('/secret', b'x', acl=[mine])
    same(owner.get('/secret')[0], b'x')
    for call in (stranger.get, stranger.get_children, stranger.get_acls):
        raises(NoAuthError, call, '/secret')
    raises(NoAuthError, stranger.set, '/secret', b'y')
    raises(NoAuthError, stranger.create, '/secret/c')
    stranger.add_auth('digest', 'us\u00e9r:wrong')
    raises(NoAuthError, stranger.get, '/secret')
    stranger.add_auth('digest', 'us\u00e9r:pa\u00df')
    same(stranger.get('/secret')[0], b'x')
    acls, stat = owner.get_acls('/secret')
    same((acls, stat.aversion), ([mine], 0))
    same(owner.set_acls('/secret', READ_ACL_UNSAFE + [mine], version=0).aversion, 1)
    other = client()
    same(other.get('/secret')[0], b'x')
    raises(NoAuthError, other.set, '/secret', b'z')
    owner.create('/creator', acl=CREATOR_ALL_ACL)
    same([a.id for a in owner.get_acls('/creator')[0]], [mine.id])
    raises(InvalidACLError, other.create, '/creator2', acl=CREATOR_ALL_ACL)
    raises(InvalidACLError, other.create, '/bad', acl=[ACL(31, Id('nosuch', 'x'))])
    owner.create('/ip', acl=[make_acl('ip', '127.0.0.1', read=True)])
    same(other.get('/ip')[0], b'')
    raises(NoAuthError, other.set, '/ip', b'z')
    owner.create('/open', acl=OPEN_ACL_UNSAFE)
    other.set('/open', b'z')
    # auth is the connection's: the client sends it again
    owner._call(_CONNECTION_DROP, None)
    until('the owner is back', lambda: owner.connected and owner.retry(owner.get, '/secret')[0] == b'x')
    same(owner.retry(owner.set, '/secret', b'again').version, 1)
    raises(AuthFailedError, client().add_auth, 'nosuch', 'x')


run(main)
