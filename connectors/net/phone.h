/* connectors/net/phone.h - telephone numbers as providers take them. */
#ifndef ATTENT_CONNECTORS_NET_PHONE_H
#define ATTENT_CONNECTORS_NET_PHONE_H

#include "core/str.h"

/* E.164: + and 7 to 15 digits, nothing between them. */
bool phone_is_number(struct str s);

#endif
