#include "connectors/net/options.h"

enum err_code net_open(const struct conf *conf, struct transfer **out, struct err *err)
{
    const struct transfer_config config = {.private_network = conf_bool(conf, "private_network"),
                                           .ca_file = conf_text(conf, "ca_file")};

    return transfer_open(&config, out, err);
}
