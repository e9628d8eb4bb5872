/* connectors/amazon_connect/sigv4.h - AWS Signature Version 4 over the headers of one request.
 *
 * Signed are content-type (if there is one), host, x-amz-date and x-amz-security-token (if the
 * credentials are a session's), and a hash of the body.
 */
#ifndef ATTENT_CONNECTORS_AMAZON_CONNECT_SIGV4_H
#define ATTENT_CONNECTORS_AMAZON_CONNECT_SIGV4_H

#include "core/buf.h"

struct sigv4_credentials { /* borrowed */
    struct str region, service;
    struct str access_key, secret;
    struct str session_token; /* empty: none */
};

struct sigv4_request { /* borrowed */
    const char *method;
    struct str host; /* as the header has it: with the port, if it is not the scheme's */
    struct str path; /* "/contact/task": letters, digits, -._~/ only, so escaping changes nothing */
    struct str query;        /* sorted and escaped; empty: none */
    struct str content_type; /* empty: none */
    struct str body;
    int64_t at_ms; /* wall clock, UTC; a server takes what is 5 minutes off at most */
};

/* Append the values of the headers X-Amz-Date and Authorization. */
void sigv4_sign(const struct sigv4_credentials *credentials, const struct sigv4_request *request,
                struct buf *date, struct buf *authorization);

#endif
