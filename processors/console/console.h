/* processors/console/console.h - what a running process shows over HTTP.
 *
 *   /metrics  Prometheus text    /livez  200 while the process runs
 *   /readyz   200 when every part does its work, else 503; JSON with the reasons
 *
 * It looks, it changes nothing, and it knows no other processor: parts report through
 * core/metric.h and core/readiness.h.  Requests are answered on a thread of its own.
 */
#ifndef ATTENT_PROCESSORS_CONSOLE_CONSOLE_H
#define ATTENT_PROCESSORS_CONSOLE_CONSOLE_H

#include "core/err.h"

struct console;

/* address: "127.0.0.1:9464"; port 0: any free one. */
enum err_code console_open(const char *address, struct console **out, struct err *err);
int console_port(const struct console *console);
void console_close(struct console *console); /* NULL allowed */

#endif
