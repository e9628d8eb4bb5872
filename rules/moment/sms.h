/* rules/moment/sms.h - how long a text is as an SMS.
 *
 * In the GSM 7-bit alphabet (3GPP TS 23.038) one part has 160 characters, several have 153 each;
 * ^ { } \ [ ~ ] | and the euro sign count twice.  One other character makes the whole text UCS-2:
 * 70, or 67 each; what lies outside the basic plane (emoji) counts twice.  A character is never cut
 * in two.
 */
#ifndef ATTENT_RULES_MOMENT_SMS_H
#define ATTENT_RULES_MOMENT_SMS_H

#include "core/str.h"

struct sms_size {
    bool ucs2;
    size_t units; /* characters as they are counted */
    size_t parts; /* 0: an empty text */
    size_t room;  /* units that so many parts have */
};

struct sms_size sms_measure(struct str text);

#endif
