/* connectors/net/transfer_parts.h - what http.c and submit.c share; for this folder only. */
#ifndef ATTENT_CONNECTORS_NET_TRANSFER_PARTS_H
#define ATTENT_CONNECTORS_NET_TRANSFER_PARTS_H

#include <curl/curl.h>

#include "connectors/net/transfer.h"

struct transfer {
    CURL *easy;
    bool private_network;
    char *ca_file; /* NULL: the system's */
    bool began;    /* connected and encrypted: from here on the server may hear us */
    bool refused;  /* the name led to an address that is not public */
    char why[CURL_ERROR_SIZE];
};

/* Options that every transfer begins with; schemes: "https", "smtp,smtps", ... */
void transfer_prepare(struct transfer *t, const char *url, const char *schemes, int timeout_ms);

/* Does it name its host with TLS, or is it allowed not to?  Fills err. */
bool transfer_url_is_fine(const struct transfer *t, struct str url, struct str safe,
                          struct str open, struct err *err);

CURLcode transfer_run(struct transfer *t);

/* err for a transfer that ended with code.  Names the host, never a path: that may be a secret. */
void transfer_explain(const struct transfer *t, CURLcode code, struct err *err);

#endif
