/* connectors/smtp/message.h - a task as an Internet message (RFC 5322, MIME).
 *
 * multipart/alternative of text, HTML and a calendar's event, or text alone.  The Message-ID is made of the task's id,
 * so two attempts are the same message.  Whatever stands in a task, no header can be added by it:
 * control characters in a header become blanks, and what is not ASCII is an encoded word (RFC
 * 2047).  Lines end with \r\n and are never longer than 78 characters.
 */
#ifndef ATTENT_CONNECTORS_SMTP_MESSAGE_H
#define ATTENT_CONNECTORS_SMTP_MESSAGE_H

#include "core/buf.h"

struct message {                    /* borrowed */
    struct str id;                  /* the task's */
    struct str from_name, from, to; /* addresses that message_address_check took */
    struct str reply_to;            /* empty: none */
    struct str subject, text, html; /* UTF-8; html empty: none */
    struct str language;            /* "nl"; empty: not stated */
    struct str unsubscribe;         /* URL for one click (RFC 8058); empty: none */
    struct str calendar;            /* iCalendar (calendar.h); empty: none */
    bool cancel;                    /* the calendar's method, else REQUEST */
    int64_t at_ms;
};

void message_put(struct buf *out, const struct message *m);

enum message_address {
    MESSAGE_ADDRESS_FINE = 0,
    MESSAGE_ADDRESS_UTF8,  /* fine for a server with SMTPUTF8 (RFC 6531): not ASCII before the @ */
    MESSAGE_ADDRESS_WRONG, /* no address, or one with quotes, comments, blanks, several @ */
};
/* What is not WRONG is appended to out as it goes to the server: the domain in ASCII (IDNA). */
enum message_address message_address_put(struct buf *out, struct str address);

#endif
