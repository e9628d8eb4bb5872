/* Who is in a group: asked by those who would pull the state from under its members. */
#include "connectors/kafka/client.h"

enum err_code kafka_group_members(const struct kafka_settings *settings, const char *group,
                                  int *members, struct err *err)
{
    const struct rd_kafka_group_list *list = NULL;
    rd_kafka_t *rk = client_open_asking(settings, err);
    rd_kafka_resp_err_t error;
    enum err_code code = ERR_NONE;

    *members = 0;
    if (rk == NULL)
        return ERR_CONFIG;
    error = rd_kafka_list_groups(rk, group, &list, CLIENT_TIMEOUT_MS);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR)
        code = err_set(err, client_err_code(error), "group %s: %s", group, rd_kafka_err2str(error));
    for (int i = 0; code == ERR_NONE && i < list->group_cnt; i++)
        *members += list->groups[i].member_cnt;
    if (list != NULL)
        rd_kafka_group_list_destroy(list);
    rd_kafka_destroy(rk);
    return code;
}
