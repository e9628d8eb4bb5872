#include "processors/cli/rules_topic.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>

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

static enum err_code scan_rules(const struct rules_topic *rules,
                                enum err_code (*record)(void *, const struct record *,
                                                        struct err *),
                                void *context, struct err *err)
{
    struct scan scan = {.kafka = rules->settings,
                        .topic = rules->topic,
                        .partition = SCAN_ALL,
                        .context = context,
                        .record = record};

    return scan_topic(&scan, err);
}

/* --- what was in force when ------------------------------------------------------------------------ */

#define HISTORY_PREFIX "history/"

void activation_entry_key(const struct activation_entry *entry, struct buf *out)
{
    buf_put_format(out, HISTORY_PREFIX "%" PRId64, entry->number);
}

void activation_entry_put(const struct activation_entry *entry, struct json_writer *w)
{
    json_key(w, "number");
    json_int(w, entry->number);
    json_key(w, "at");
    json_time(w, entry->at_ms);
    json_key(w, "hash");
    json_str(w, str_of(entry->hash));
}

void activation_entry_write(const struct activation_entry *entry, struct buf *out)
{
    struct json_writer w = json_writer_to(out);

    json_open(&w, '{');
    activation_entry_put(entry, &w);
    json_close(&w, '}');
}

static bool read_value(struct str text, struct arena *arena, struct activation_entry *out)
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

bool activation_entry_read(const struct record *record, struct arena *arena,
                           struct activation_entry *out, struct err *err)
{
    if (!str_starts(record->key, STR(HISTORY_PREFIX)))
        return false;
    if (read_value(arena_str(arena, record->value), arena, out))
        return true;
    err_set(err, ERR_STATE, "%.*s: the value of \"%.*s\" is no activation", STR_ARG(record->topic),
            STR_ARG(record->key));
    return false;
}

struct reading_history {
    struct arena *arena;
    struct activation_entry *entries; /* on the heap */
    size_t count, capacity;
};

static enum err_code note_entry(void *context, const struct record *record, struct err *err)
{
    struct reading_history *r = context;
    struct activation_entry entry;
    struct err broken = {0};

    if (!activation_entry_read(record, r->arena, &entry, &broken))
        return broken.code != ERR_NONE ? err_set(err, broken.code, "%s", broken.text) : ERR_NONE;
    MEM_RESERVE(r->entries, r->count, r->capacity);
    r->entries[r->count++] = entry;
    return ERR_NONE;
}

enum err_code rules_topic_history(struct rules_topic *rules, struct arena *arena,
                                  struct activation_history *out, struct err *err)
{
    struct reading_history r = {.arena = arena};
    enum err_code code = scan_rules(rules, note_entry, &r, err);

    out->count = r.count;
    out->entries = arena_copy(arena, r.entries, r.count * sizeof *r.entries);
    mem_free(r.entries);
    return code;
}

const struct activation_entry *activation_in_force(const struct activation_history *history)
{
    return history->count != 0 ? &history->entries[history->count - 1] : NULL;
}

enum err_code rules_topic_active(struct rules_topic *rules, char out[HASH128_HEX_SIZE],
                                 struct err *err)
{
    struct arena *arena = arena_new(0);
    struct activation_history history;
    enum err_code code = rules_topic_history(rules, arena, &history, err);
    const struct activation_entry *last = activation_in_force(&history);

    snprintf(out, HASH128_HEX_SIZE, "%s", last != NULL ? last->hash : "");
    arena_free(arena);
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
    enum err_code code = scan_rules(rules, look, &lookup, err);

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
    struct str theirs = bundle_file_text(bundle, STR(BUNDLE_ZONE_DATA));

    if (theirs.len != 0 && !str_equal(theirs, zone_data_version()))
        log_warn("rules",
                 "put in force with other time zone data than this machine has; update "
                 "tzdata everywhere, then `attent activate`",
                 LOG_STR("active", hash_hex), LOG_STR("theirs", theirs),
                 LOG_STR("ours", zone_data_version()), LOG_END);
}

static struct ruleset *compile(struct rules_topic *rules, struct str hash_hex, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct diags diags = {0};
    struct ruleset *set = NULL;
    struct bundle bundle;

    if (rules_topic_bundle(rules, hash_hex, arena, &bundle, err) == ERR_NONE &&
        bundle_check_semantics(&bundle, err) == ERR_NONE) {
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
