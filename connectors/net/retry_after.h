/* connectors/net/retry_after.h - the header Retry-After (RFC 9110, 10.2.3). */
#ifndef ATTENT_CONNECTORS_NET_RETRY_AFTER_H
#define ATTENT_CONNECTORS_NET_RETRY_AFTER_H

#include <stdint.h>

#include "core/str.h"

enum { RETRY_AFTER_NONE = -1 };

/* How long to wait from now_ms on, for a value in seconds or a date in one of the three forms of
 * HTTP; a date that is past gives 0, and nothing more than RETRY_AFTER_MS_MAX.
 * RETRY_AFTER_NONE: it is neither. */
#define RETRY_AFTER_MS_MAX INT64_C(86400000) /* a receiver that says more has made a mistake */
int64_t retry_after_ms(struct str value, int64_t now_ms);

/* A date of HTTP (RFC 9110, 5.6.7) as UTC milliseconds: "Sun, 06 Nov 1994 08:49:37 GMT" and the
 * two obsolete forms.  A year of two digits is the one at most 50 years after now_ms.  False: it
 * is none. */
bool http_date_parse(struct str text, int64_t now_ms, int64_t *at_ms);

#endif
