"""Session expiry: by silence, and by somebody else who ends the session."""
import os
import signal
import subprocess
import sys
import time

from kazoo.client import KazooClient
from kazoo.retry import KazooRetry

from common import client, run, same, until, KazooState, ROOT, SERVERS

CHILD = '''
import sys
from kazoo.client import KazooClient
c = KazooClient(hosts=sys.argv[1], timeout=4)
c.start()
c.create(sys.argv[2] + '/doomed', ephemeral=True)
print('made', flush=True)
import time
time.sleep(60)
'''


def main():
    c = client()
    gone = []
    child = subprocess.Popen([sys.executable, '-c', CHILD, SERVERS[-1], ROOT], stdout=subprocess.PIPE)
    try:
        same(child.stdout.readline(), b'made\n')
        c.sync('/doomed')
        assert c.exists('/doomed', watch=lambda e: gone.append(e.type))
        os.kill(child.pid, signal.SIGKILL)
        since = time.time()
        time.sleep(1.5)
        assert c.exists('/doomed'), 'a session outlives its connection'
        until('the end of the silent session', lambda: gone == ['DELETED'], 20)
        took = time.time() - since
        assert 3 <= took <= 12, 'expired after %.1f s of 4 s' % took
    finally:
        child.kill()
        child.wait()

    # One server and a second between attempts: a client that comes back at once would take its session back from the thief.
    victim = client(servers=SERVERS[:1], timeout=6, connection_retry=KazooRetry(max_tries=-1, delay=1, max_jitter=0))
    states, events = [], []
    victim.create('/owned', ephemeral=True)
    victim.add_listener(states.append)
    first = victim.client_id
    thief = KazooClient(hosts=','.join(SERVERS) + ROOT, client_id=first, timeout=6, randomize_hosts=False)
    thief.start(20)
    same(thief.client_id, first, 'the same session by id and password')
    assert thief.exists('/owned')
    thief.stop()
    thief.close()
    until('LOST at the old client', lambda: KazooState.LOST in states, 20)
    until('a new session', lambda: victim.connected and victim.client_id != first, 20)
    victim.sync('/owned')
    same(victim.retry(victim.exists, '/owned'), None, 'the ephemeral went with its session')


run(main)
