/* core/base64.h - base64 (RFC 4648): with padding, and the alphabet for URLs without. */
#ifndef ATTENT_CORE_BASE64_H
#define ATTENT_CORE_BASE64_H

#include "core/buf.h"

void base64_put(struct buf *out, struct str bytes);     /* + and /, padded with = */
void base64_put_url(struct buf *out, struct str bytes); /* - and _, not padded */

/* Append what text stands for; either alphabet, padded or not, no blanks.  False: not base64 (nor
 * one with bits left over at its end, so that no two texts stand for the same bytes but for
 * alphabet and padding); out is as before. */
bool base64_read(struct buf *out, struct str text);

#endif
