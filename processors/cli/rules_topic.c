#include "processors/cli/rules_topic.h"

#include <inttypes.h>
#include <pthread.h>

#include "core/json.h"
#include "core/log.h"
#include "core/mem.h"
#include "core/when.h"
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

/* --- what was in force when ------------------------------------------------------------------------ */

#define HISTORY_PREFIX "history/"

void activation_entry_key(const struct activation_entry *entry, struct buf *out)
{
    buf_put_format(out, HISTORY_PREFIX "%" PRId64, entry->number);
}

void activation_entry_write(const struct activation_entry *entry, struct buf *out)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    json_key(&w, "number");
    json_int(&w, entry->number);
    json_key(&w, "at");
    json_time(&w, entry->at_ms);
    json_key(&w, "hash");
    json_str(&w, str_of(entry->hash));
    json_close(&w, '}');
}

static bool read_entry(struct str text, struct arena *arena, struct activation_entry *out)
{
    struct value v, number, at, hash;

    if (json_parse(text, arena, &v, NULL) != JSON_FINE)
        return false;
    number = json_at(v, STR("/number"));
    at = json_at(v, STR("/at"));
    hash = json_at(v, STR("/hash"));
    if (number.kind != VALUE_INT || number.i < 1 || at.kind != VALUE_STRING ||
        hash.kind != VALUE_STRING || hash.n != sizeof out->hash - 1)
        return false;
    out->number = number.i;
    memcpy(out->hash, hash.text, hash.n);
    out->hash[hash.n] = '\0';
    return when_parse_ms(value_str(at), &out->at_ms);
}

struct reading_history {
    const struct rules_topic *rules;
    struct arena *arena;
    struct activation_entry *entries; /* on the heap */
    size_t count, capacity;
};

static enum err_code note_entry(void *context, const struct record *record, struct err *err)
{
    struct reading_history *r = context;
    struct activation_entry entry;

    if (!str_starts(record->key, STR(HISTORY_PREFIX)))
        return ERR_NONE;
    if (!read_entry(arena_str(r->arena, record->value), r->arena, &entry))
        return err_set(err, ERR_STATE, "%s: the value of \"%.*s\" is no activation",
                       r->rules->topic, STR_ARG(record->key));
    MEM_RESERVE(r->entries, r->count, r->capacity);
    r->entries[r->count++] = entry;
    return ERR_NONE;
}

enum err_code rules_topic_history(struct rules_topic *rules, struct arena *arena,
                                  struct activation_history *out, struct err *err)
{
    struct reading_history r = {.rules = rules, .arena = arena};
    struct scan scan = {.kafka = rules->settings,
                        .topic = rules->topic,
                        .partition = SCAN_ALL,
                        .context = &r,
                        .record = note_entry};
    enum err_code code = scan_topic(&scan, err);

    out->count = r.count;
    out->entries = arena_copy(arena, r.entries, r.count * sizeof *r.entries);
    mem_free(r.entries);
    return code;
}

/* --- bundles ---------------------------------------------------------------------------------------- */

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
