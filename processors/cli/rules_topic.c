#include "processors/cli/rules_topic.h"

#include <pthread.h>

#include "core/log.h"
#include "core/mem.h"
#include "core/zone.h"
#include "processors/cli/scan.h"

struct kept_set {
    struct kept_set *next;
    struct ruleset *set;
};

struct rules_topic {
    const struct kafka_settings *settings;
    const char *topic;
    pthread_mutex_t lock; /* of the list; held while one is read, so that it is read once */
    struct kept_set *sets;
};

struct rules_topic *rules_topic_open(const struct kafka_settings *settings, const char *topic)
{
    struct rules_topic *rules = MEM_NEW(struct rules_topic);

    rules->settings = settings;
    rules->topic = topic;
    pthread_mutex_init(&rules->lock, NULL);
    return rules;
}

void rules_topic_close(struct rules_topic *rules)
{
    if (rules == NULL)
        return;
    while (rules->sets != NULL) {
        struct kept_set *kept = rules->sets;
        rules->sets = kept->next;
        ruleset_free(kept->set);
        mem_free(kept);
    }
    pthread_mutex_destroy(&rules->lock);
    mem_free(rules);
}

/* --- reading the topic ------------------------------------------------------------------------- */

struct lookup {
    struct str key;
    struct buf value; /* of the newest record */
};

static enum err_code look(void *context, const struct record *record, struct err *err)
{
    struct lookup *lookup = context;

    (void)err;
    if (!str_equal(record->key, lookup->key))
        return ERR_NONE;
    buf_clear(&lookup->value);
    buf_put(&lookup->value, record->value);
    return ERR_NONE;
}

/* The newest value of a key; empty: none. */
static enum err_code read_key(const struct rules_topic *rules, struct lookup *lookup,
                              struct err *err)
{
    struct scan scan = {.kafka = rules->settings,
                        .topic = rules->topic,
                        .partition = SCAN_ALL,
                        .context = lookup,
                        .record = look};

    return scan_topic(&scan, err);
}

enum err_code rules_topic_active(struct rules_topic *rules, char out[HASH128_HEX_SIZE],
                                 struct err *err)
{
    struct lookup lookup = {.key = STR(RULES_ACTIVE_KEY)};
    enum err_code code = read_key(rules, &lookup, err);

    out[0] = '\0';
    if (code == ERR_NONE && lookup.value.len != 0) {
        if (lookup.value.len == HASH128_HEX_SIZE - 1)
            memcpy(out, buf_text(&lookup.value), HASH128_HEX_SIZE);
        else
            code = err_set(err, ERR_STATE, "%s: the value of \"%s\" is no hash", rules->topic,
                           RULES_ACTIVE_KEY);
    }
    buf_free(&lookup.value);
    return code;
}

static enum err_code check_bundle(const struct rules_topic *rules, struct str hash_hex,
                                  struct str text, struct arena *arena, struct bundle *out,
                                  struct err *err)
{
    char hex[HASH128_HEX_SIZE];

    if (text.len == 0)
        return err_set(err, ERR_STATE, "rule set %.*s is not in %s", STR_ARG(hash_hex),
                       rules->topic);
    if (!bundle_read(arena_str(arena, text), arena, out, err)) {
        err_prefix(err, "rule set %.*s", STR_ARG(hash_hex));
        return ERR_STATE;
    }
    hash128_hex(bundle_hash(out), hex);
    if (!str_is(hash_hex, hex))
        return err_set(err, ERR_STATE, "%s: what stands there as rule set %.*s is %s", rules->topic,
                       STR_ARG(hash_hex), hex);
    return ERR_NONE;
}

enum err_code rules_topic_bundle(struct rules_topic *rules, struct str hash_hex,
                                 struct arena *arena, struct bundle *out, struct err *err)
{
    struct lookup lookup = {.key = hash_hex};
    enum err_code code = read_key(rules, &lookup, err);

    if (code == ERR_NONE)
        code = check_bundle(rules, hash_hex, buf_str(&lookup.value), arena, out, err);
    buf_free(&lookup.value);
    return code;
}

/* --- compiled --------------------------------------------------------------------------------------- */

/* Local times are decided by this machine's zone data: say so when the rules were put in force
 * with other data, because another machine may decide otherwise. */
static void compare_zone_data(const struct bundle *bundle, struct str hash_hex)
{
    for (size_t i = 0; i < bundle->count; i++)
        if (str_is(bundle->files[i].name, BUNDLE_ZONE_DATA) &&
            !str_equal(bundle->files[i].text, zone_data_version()))
            log_warn("rules",
                     "put in force with other time zone data than this machine has; update "
                     "tzdata everywhere, then `attent activate`",
                     LOG_STR("active", hash_hex), LOG_STR("theirs", bundle->files[i].text),
                     LOG_STR("ours", zone_data_version()), LOG_END);
}

static struct ruleset *compile(struct rules_topic *rules, struct str hash_hex, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct ruleset *set = NULL;
    struct bundle bundle;

    if (rules_topic_bundle(rules, hash_hex, arena, &bundle, err) == ERR_NONE) {
        compare_zone_data(&bundle, hash_hex);
        set = ruleset_compile(&bundle, NULL, &diags);
        if (set == NULL)
            err_set(err, ERR_STATE, "this build cannot compile the active rule set %.*s: %s: %s",
                    STR_ARG(hash_hex),
                    diags.count != 0 && diags.items[0].place.file != NULL
                        ? diags.items[0].place.file
                        : "bundle",
                    diags.count != 0 ? diags.items[0].what : "no finding");
    }
    diags_free(&diags);
    arena_free(arena);
    return set;
}

static const struct ruleset *find_kept(const struct rules_topic *rules, struct str hash_hex)
{
    for (const struct kept_set *kept = rules->sets; kept != NULL; kept = kept->next)
        if (str_is(hash_hex, kept->set->hash_hex))
            return kept->set;
    return NULL;
}

const struct ruleset *rules_topic_find(void *context, struct str hash_hex, struct err *err)
{
    struct rules_topic *rules = context;
    const struct ruleset *found;

    pthread_mutex_lock(&rules->lock);
    found = find_kept(rules, hash_hex);
    if (found == NULL) {
        struct ruleset *set = compile(rules, hash_hex, err);
        if (set != NULL) {
            struct kept_set *kept = MEM_NEW(struct kept_set);
            *kept = (struct kept_set){rules->sets, set};
            rules->sets = kept;
        }
        found = set;
    }
    pthread_mutex_unlock(&rules->lock);
    return found;
}
