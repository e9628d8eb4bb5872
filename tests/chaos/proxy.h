/* tests/chaos/proxy.h - a TCP proxy on 127.0.0.1 that cuts and delays what goes through it.
 *
 *     proxy = proxy_open();
 *     lane = proxy_add(proxy, listen_port, target_port);
 *     proxy_set(proxy, lane, PROXY_DELAY, 200);      200 ms in either direction
 *     proxy_cut(proxy, lane);                        every connection there is, now
 *     proxy_close(proxy);
 *
 * It has one thread of its own.  The calls are for one other thread.
 */
#ifndef TESTS_CHAOS_PROXY_H
#define TESTS_CHAOS_PROXY_H

struct proxy;

enum { PROXY_LANES_MAX = 16 };

enum proxy_mode {
    PROXY_PASS,
    PROXY_DELAY,  /* bytes arrive delay_ms later */
    PROXY_HOLD,   /* connections stay, and nothing arrives until the mode changes */
    PROXY_REFUSE, /* new connections are closed at once; those that are there pass */
};

struct proxy *proxy_open(void);
void proxy_close(struct proxy *proxy); /* NULL allowed */

/* Its number: 0, 1, ...  Nobody who listens at target_port: connections are closed at once. */
int proxy_add(struct proxy *proxy, int listen_port, int target_port);

void proxy_set(struct proxy *proxy, int lane, enum proxy_mode mode, int delay_ms);
void proxy_cut(struct proxy *proxy, int lane);

#endif
