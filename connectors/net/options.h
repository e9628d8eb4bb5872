/* connectors/net/options.h - what every channel that speaks HTTP or SMTP may be told about its line. */
#ifndef ATTENT_CONNECTORS_NET_OPTIONS_H
#define ATTENT_CONNECTORS_NET_OPTIONS_H

#include "connectors/net/transfer.h"
#include "core/conf.h"

/* Rows for a class's table of fields. */
#define NET_FIELDS                                                                                 \
    {.path = "private_network",                                                                    \
     .kind = CONF_BOOL,                                                                            \
     .fallback = "false",                                                                          \
     .doc = "The receiver is inside our own network: private, loopback and link-local addresses, " \
            "and connections without TLS, are taken."},                                            \
    {                                                                                              \
        .path = "ca_file", .kind = CONF_TEXT, .fallback = "",                                      \
        .doc = "PEM file of the authorities that the receiver's certificate may be signed by; "    \
               "empty: the system's."                                                              \
    }

/* Open a transfer as these options say. */
enum err_code net_open(const struct conf *conf, struct transfer **out, struct err *err);

#endif
