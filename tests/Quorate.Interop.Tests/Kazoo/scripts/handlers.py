"""The ways to run callbacks: the threading handler (default), and gevent where it is installed."""
import threading

from kazoo.handlers.threading import SequentialThreadingHandler

from common import client, run, same, until


def use(handler, name):
    c = client(handler=handler)
    events = []
    c.create('/' + name, b'0')
    for i in range(20):
        c.get('/' + name, watch=lambda e: events.append(e.type))
        c.set('/' + name, b'%d' % i)
    until('20 events of ' + name, lambda: len(events) == 20, sleep=handler.sleep_func)
    results = []
    future = c.get_async('/' + name)
    future.rawlink(lambda f: results.append(f.get()[0]))
    until('the callback of ' + name, lambda: results == [b'19'], sleep=handler.sleep_func)
    return c


def main():
    handler = SequentialThreadingHandler()
    c = use(handler, 'threading')
    order, done = [], threading.Event()

    def first(_):
        c.get('/threading')  # a call from inside a callback must not wedge the handler
        order.append('first')

    c.get_children('/threading', watch=first)
    c.get('/threading', watch=lambda e: (order.append('second'), done.set()))
    c.create('/threading/x')
    c.set('/threading', b'')
    assert done.wait(10)
    same(order, ['first', 'second'], 'callbacks one after the other, in the order of the events')
    try:
        from kazoo.handlers.gevent import SequentialGeventHandler
    except ImportError as e:
        print('not installed: %s' % e)
        return
    c = use(SequentialGeventHandler(), 'gevent')
    c.stop()
    c.close()


run(main)
