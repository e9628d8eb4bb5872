/* connectors/net/submit.h - one mail handed to a mail server (RFC 5321, 6409) and what became of it.
 *
 *     mail_submit -> TRANSFER_ANSWERED    the server said yes (reply 250) or no (4xx, 5xx)
 *                 -> TRANSFER_NOT_SENT    it ended before the last byte of the message went out, and
 *                                         a server may not keep half a message
 *                 -> TRANSFER_IN_DOUBT    it ended after that
 *                 -> TRANSFER_WRONG       this server cannot take such an address
 */
#ifndef ATTENT_CONNECTORS_NET_SUBMIT_H
#define ATTENT_CONNECTORS_NET_SUBMIT_H

#include "connectors/net/transfer.h"

struct mail {         /* borrowed */
    const char *url;  /* "smtp://HOST:PORT", or "smtps://..." for TLS from the start */
    bool starttls;    /* with smtp://: go on only when the line is encrypted */
    const char *user; /* NULL: no log-in */
    const char *password;
    const char *from, *to; /* envelope: addresses without < > */
    bool needs_utf8;       /* an address is not ASCII: the server has to offer SMTPUTF8 */
    struct str message;    /* lines end with \r\n; dots are doubled here */
};

/* *status: of ANSWERED; else 0. */
enum transfer_end mail_submit(struct transfer *t, const struct mail *mail, int timeout_ms,
                              int *status, struct err *err);

#endif
