/* tests/chaos/offline.c - the undisturbed run.  decide: by `attent replay`, as a user would; identify has
 * no such verb, so its step is run here. */
#include <stdlib.h>

#include "core/json.h"
#include "core/mem.h"
#include "processors/cli/identities.h"
#include "processors/cli/rules_topic.h"
#include "processors/cli/scan.h"
#include "processors/identify/identify.h"
#include "processors/decide/decide.h"
#include "processors/worker/offline.h"
#include "processors/worker/redis_store.h"
#include "schemas/chain.h"
#include "tests/chaos/compare.h"
#include "tests/chaos/findings.h"
#include "tests/support/redis_cluster.h"

static void add(struct undisturbed *u, enum outputs_of what, int to, struct str seq,
                struct str chain)
{
    struct output output = {0};
    struct str generation, number;

    if (!str_cut(seq, '.', &generation, &number) || !str_read_number(number, &output.number) ||
        !chain_hash_read(chain, &output.chain))
        finding("offline: an output without a number");
    MEM_RESERVE(u->outputs, u->count, u->capacity);
    MEM_RESERVE(u->to, u->count, u->to_capacity);
    MEM_RESERVE(u->what, u->count, u->what_capacity);
    u->outputs[u->count] = output;
    u->to[u->count] = to;
    u->what[u->count++] = what;
}

void undisturbed_free(struct undisturbed *u)
{
    mem_free(u->outputs);
    mem_free(u->to);
    mem_free(u->what);
}

/* --- decide --------------------------------------------------------------------------------- */

static struct str text_of(struct value line, const char *key)
{
    struct value v = value_map_get(line, str_of(key));

    return v.kind == VALUE_STRING ? value_str(v) : STR_EMPTY;
}

static void take_line(struct undisturbed *u, struct str text, int partition, struct arena *arena)
{
    struct value line;
    struct str topic;

    arena_reset(arena);
    if (json_parse(text, arena, &line, NULL) != JSON_FINE)
        return;
    topic = text_of(line, "topic");
    if (topic.len == 0)
        snprintf(u->state, sizeof u->state, "%.*s", STR_ARG(text_of(line, "state")));
    else if (str_is(topic, "attent.tasks") || str_is(topic, "attent.decisions"))
        add(u, str_is(topic, "attent.tasks") ? OUTPUTS_TASKS : OUTPUTS_DECISIONS, partition,
            text_of(line, "seq"), text_of(line, "chain"));
}

bool offline_decide(struct site *site, int partition, struct undisturbed *out)
{
    char number[16], *lines;
    struct str rest, line;
    struct arena *arena;

    *out = (struct undisturbed){0};
    snprintf(number, sizeof number, "%d", partition);
    lines = site_run(site, "replay", "--partition", number, "--json", NULL);
    if (lines == NULL)
        return false;
    arena = arena_new(0);
    for (rest = str_of(lines); str_cut(rest, '\n', &line, &rest);)
        take_line(out, line, partition, arena);
    arena_free(arena);
    free(lines);
    return out->state[0] != '\0';
}

/* --- identify ------------------------------------------------------------------------------- */

struct run {
    struct offline *offline;
    struct undisturbed *out;
};

static void put(void *context, int topic, const struct record *record)
{
    struct run *run = context;

    if (topic == IDENTIFY_TOPIC_EVENTS)
        add(run->out, OUTPUTS_IDENTIFIED, record->partition,
            record_header(record, STR(CHAIN_SEQ_HEADER)),
            record_header(record, STR(CHAIN_HASH_HEADER)));
}

static enum err_code take(void *context, const struct record *record, struct err *err)
{
    struct run *run = context;

    return offline_record(run->offline, record, err);
}

bool offline_identify(struct site *site, int partition, struct undisturbed *out)
{
    static const int32_t counts[] = {CHAOS_PARTITIONS, CHAOS_PARTITIONS, 1};
    struct rules_topic *rules = rules_topic_open(&site->direct, "attent.rules");
    const struct identify_config config = {
        .find = identities_find, .context = rules, .partitions = CHAOS_PARTITIONS};
    struct run run = {.out = out};
    const struct offline_setup setup = {.class = &identify_class,
                                        .config = &config,
                                        .partition = partition,
                                        .topic_partitions = counts,
                                        .context = &run,
                                        .output = put};
    const struct scan scan = {.kafka = &site->direct,
                              .topic = "attent.identify",
                              .partition = partition,
                              .context = &run,
                              .record = take};
    struct err err = {0};
    enum err_code code;

    *out = (struct undisturbed){0};
    code = offline_open(&setup, &run.offline, &err);
    if (code == ERR_NONE)
        code = scan_topic(&scan, &err);
    if (code == ERR_NONE)
        hash128_hex(offline_digest(run.offline), out->state);
    else
        finding("offline: identify/%d: %s", partition, err.text);
    offline_close(run.offline);
    rules_topic_close(rules);
    return code == ERR_NONE;
}

/* --- Redis ---------------------------------------------------------------------------------- */

bool offline_redis_state(struct site *site, const char *step, int partition,
                         char out[HASH128_HEX_SIZE])
{
    struct redis_settings settings = {.address = redis_cluster_url(site->redis)};
    struct store *store = NULL;
    struct hash128 digest;
    struct err err = {0};
    bool fine = redis_store_open(&settings, &store, &err) == ERR_NONE &&
                store_digest(store, step, partition, &digest, &err) == STORE_DONE;

    if (fine)
        hash128_hex(digest, out);
    else
        finding("state of %s/%d: %s", step, partition, err.text);
    if (store != NULL)
        store->class->close(store);
    return fine;
}
