/* connectors/smtp/calendar.h - an appointment as iCalendar (RFC 5545), to be sent by mail (iTIP and
 * iMIP, RFC 5546 and 6047).
 *
 * An invitation is a REQUEST, its withdrawal a CANCEL with the same UID and a higher SEQUENCE, so a
 * calendar finds the event again, and one that sees a message twice changes nothing.  Times are
 * UTC; a calendar shows them in its own zone.  Lines end with \r\n and have 75 bytes at most; no
 * text can add one.
 */
#ifndef ATTENT_CONNECTORS_SMTP_CALENDAR_H
#define ATTENT_CONNECTORS_SMTP_CALENDAR_H

#include "schemas/task.h"

struct calendar { /* borrowed */
    const struct task_appointment *appointment;
    struct str uid;                 /* the task's id and our domain */
    struct str from_name, from, to; /* the organiser, and who is invited */
    bool cancel;
    int64_t at_ms;
};

void calendar_put(struct buf *out, const struct calendar *c);

#endif
