/* core/idn.h - domains that are not ASCII, as the DNS and mail know them (IDNA2008, RFC 5891).
 *
 * "exämple.net" -> "xn--exmple-cua.net"; ASCII stays as it is.  The only file that includes idn2.h.
 */
#ifndef ATTENT_CORE_IDN_H
#define ATTENT_CORE_IDN_H

#include "core/buf.h"

/* Appended to out.  False: no domain can be written so, and nothing was appended. */
bool idn_put_ascii(struct buf *out, struct str domain);

#endif
