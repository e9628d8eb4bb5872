/* connectors/push/account.h - the key file of a Google service account: JSON, as Google's console
 * gives it out. */
#ifndef ATTENT_CONNECTORS_PUSH_ACCOUNT_H
#define ATTENT_CONNECTORS_PUSH_ACCOUNT_H

#include "core/err.h"
#include "core/json.h"

struct account { /* texts in the arena it was read with, and secret but for the project */
    struct str project, email, key_id, key_pem, token_url;
};

/* ERR_CONFIG: it is none; err names the member that is missing and shows none. */
enum err_code account_read(struct str json, struct arena *arena, struct account *out,
                           struct err *err);

#endif
