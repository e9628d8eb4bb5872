#include "tests/chaos/servers.h"

#include <stdlib.h>

#include "tests/support/scratch.h"
#include "tests/support/wait.h"

enum { WHOLE_MS_MAX = 120 * 1000, LOOK_MS = 50 };

/* --- Kafka ---------------------------------------------------------------------------------- */

/* Each broker logs what it becomes in the quorum of controllers. */
static bool says_it_leads(const char *log_path)
{
    static const char mark[] = "Completed transition to ";
    char *text = scratch_read(log_path, NULL);
    const char *last = NULL;
    bool leads;

    for (const char *at = text; at != NULL && (at = strstr(at, mark)) != NULL; at++)
        last = at + strlen(mark);
    leads = last != NULL && str_starts(str_of(last), STR("Leader("));
    free(text);
    return leads;
}

int servers_kafka_controller(struct server *kafka)
{
    for (int i = 0; i < server_count(kafka); i++)
        if (server_pid(kafka, i) != 0 && says_it_leads(server_log(kafka, i)))
            return i;
    return -1;
}

/* --- Redis ---------------------------------------------------------------------------------- */

int servers_redis_primary(struct site *s, uint64_t draw)
{
    return (int)(draw % (uint64_t)s->redis_count);
}

void servers_redis_restart(struct site *s, int index)
{
    server_restart(s->redis, index);
}

void servers_redis_wait_whole(struct site *s)
{
    int64_t until_ms = wait_now_ms() + WHOLE_MS_MAX;

    for (int i = 0; i < s->redis_count; i++)
        while (!server_answers(s->redis, i)) {
            if (wait_now_ms() >= until_ms)
                scratch_fail("Redis node %d does not answer again", i);
            wait_pause_ms(LOOK_MS);
        }
}
