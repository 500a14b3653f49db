"""What the kazoo scripts share: a client in a namespace of its own, and a wait that ends."""
import os
import sys
import threading
import time
import uuid

from kazoo.client import KazooClient
from kazoo.protocol.states import KazooState

SERVERS = sys.argv[1].split(',')
ROOT = '/kazoo-' + uuid.uuid4().hex
_open = []


def client(servers=None, timeout=10, chroot=True, **more):
    """A started client; `servers` may be one address, so that a script knows where it is connected."""
    hosts = ','.join(servers or SERVERS)
    c = KazooClient(hosts=hosts + (ROOT if chroot else ''), timeout=timeout, randomize_hosts=False, **more)
    c.start(timeout=20)
    _open.append(c)
    return c


def root():
    """Makes the namespace."""
    c = KazooClient(hosts=','.join(SERVERS), timeout=10)
    c.start(timeout=20)
    c.ensure_path(ROOT)
    c.stop()
    c.close()


def until(what, condition, seconds=15, sleep=time.sleep):
    """Waits for a condition; an assertion names what never came."""
    end = time.time() + seconds
    while True:
        value = condition()
        if value:
            return value
        assert time.time() < end, 'never came: ' + what
        sleep(0.02)


def same(actual, expected, what=''):
    assert actual == expected, '%s: %r instead of %r' % (what, actual, expected)


def raises(kind, call, *args, **named):
    try:
        value = call(*args, **named)
    except kind as e:
        return e
    raise AssertionError('%s was due, got %r' % (kind.__name__, value))


def thread(target, *args):
    t = threading.Thread(target=target, args=args, daemon=True)
    t.start()
    return t


def run(main):
    root()
    try:
        main()
    finally:
        for c in _open:
            try:
                c.stop()
                c.close()
            except Exception as e:  # the script's own error is the one to show
                print('at the end: %r' % e)
    print('OK')
    sys.stdout.flush()
    # A handler thread that hangs must not turn a passed script into a hanging one.
    os._exit(0)


__all__ = ['client', 'until', 'same', 'raises', 'thread', 'run', 'SERVERS', 'ROOT', 'KazooClient', 'KazooState']
