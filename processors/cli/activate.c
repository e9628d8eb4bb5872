/* Two processes that start at once must not both activate.  Opening a producer of the
 * installation's transactional id ends whatever transaction another one had open, committed or
 * aborted; so what is active is read after that, and written in the same transaction.  Who
 * was fenced begins again, and then finds it done. */
#include "processors/cli/activate.h"

#include <stdio.h>

#include "core/clock.h"
#include "core/file.h"
#include "core/log.h"
#include "processors/cli/activate_plan.h"
#include "processors/cli/cli.h"
#include "processors/cli/config.h"
#include "processors/cli/findings.h"
#include "processors/cli/rules_check.h"
#include "processors/cli/rules_folder.h"
#include "processors/cli/rules_named.h"
#include "processors/cli/rules_topic.h"
#include "processors/worker/step.h"

enum { TRIES = 5, BACK_OFF_MS = 300 };

struct activation {
    struct kafka_settings kafka;
    struct config_topics topics;
    struct rules_topic *rules;
    const char *hash;
    struct buf bundle;
    bool only_first;
    int64_t number; /* of this activation */
    char active[HASH128_HEX_SIZE];
    bool written;
};

/* --- writing ------------------------------------------------------------------------------------ */

static enum err_code put_rules(const struct activation *a, struct kafka_producer *producer,
                               struct str key, struct str value, struct err *err)
{
    struct record record = {.topic = str_of(a->topics.rules),
                            .partition = 0,
                            .timestamp_ms = clock_wall_ms(),
                            .key = key,
                            .value = value};

    return kafka_produce(producer, &record, err);
}

static enum err_code put_entry(const struct activation *a, struct kafka_producer *producer,
                               struct err *err)
{
    struct buf key = {0}, value = {0};
    struct activation_entry entry = {.number = a->number, .at_ms = clock_wall_ms()};
    enum err_code code;

    memcpy(entry.hash, a->hash, sizeof entry.hash);
    activation_entry_key(&entry, &key);
    activation_entry_write(&entry, &value);
    code = put_rules(a, producer, buf_str(&key), buf_str(&value), err);
    buf_free(&key);
    buf_free(&value);
    return code;
}

static enum err_code put_bundle(const struct activation *a, struct kafka_producer *producer,
                                struct err *err)
{
    enum err_code code = put_rules(a, producer, str_of(a->hash), buf_str(&a->bundle), err);

    return code == ERR_NONE ? put_entry(a, producer, err) : code;
}

static enum err_code put_controls(const struct activation *a, struct kafka_producer *producer,
                                  const char *topic, struct err *err)
{
    const struct header header = {STR(CONTROL_HEADER), STR(CONTROL_ACTIVATE)};
    enum err_code code = ERR_NONE;

    for (int p = 0; p < a->topics.partitions && code == ERR_NONE; p++) {
        struct record record = {.topic = str_of(topic),
                                .partition = p,
                                .timestamp_ms = clock_wall_ms(),
                                .value = str_of(a->hash),
                                .headers = &header,
                                .header_count = 1};
        code = kafka_produce(producer, &record, err);
    }
    return code;
}

static enum err_code write_all(struct activation *a, struct kafka_producer *producer,
                               struct err *err)
{
    bool fatal;
    enum err_code code = kafka_begin(producer, err);

    if (code != ERR_NONE)
        return code;
    code = put_bundle(a, producer, err);
    if (code == ERR_NONE)
        code = put_controls(a, producer, a->topics.identify, err);
    if (code == ERR_NONE)
        code = put_controls(a, producer, a->topics.events, err);
    if (code != ERR_NONE) {
        kafka_abort(producer, &fatal, NULL);
        return code;
    }
    code = kafka_commit(producer, NULL, NULL, 0, &fatal, err);
    a->written = code == ERR_NONE;
    return code;
}

static bool is_done(const struct activation *a)
{
    return strcmp(a->active, a->hash) == 0 || (a->only_first && a->active[0] != '\0');
}

/* What is active, and the number that the next activation has. */
static enum err_code look(struct activation *a, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct activation_history history;
    enum err_code code = rules_topic_history(a->rules, arena, &history, err);
    const struct activation_entry *last = activation_in_force(&history);

    a->number = last != NULL ? last->number + 1 : 1;
    snprintf(a->active, sizeof a->active, "%s", last != NULL ? last->hash : "");
    arena_free(arena);
    return code;
}

static enum err_code try_once(struct activation *a, const char *id, struct err *err)
{
    struct kafka_producer *producer = NULL;
    enum err_code code = look(a, err);

    if (code != ERR_NONE || is_done(a))
        return code;
    code = kafka_producer_open(&a->kafka, id, &producer, err);
    if (code == ERR_NONE)
        code = look(a, err);
    if (code == ERR_NONE && !is_done(a))
        code = write_all(a, producer, err);
    kafka_producer_close(producer);
    return code;
}

enum err_code activate_bundle(const struct conf *conf, const struct bundle *bundle, bool only_first,
                              char hash[HASH128_HEX_SIZE], bool *written, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct activation a = {.kafka = config_kafka(conf, "activate", arena),
                           .topics = config_topics(conf, arena),
                           .hash = hash,
                           .only_first = only_first};
    const char *id = config_group(conf, "activate", arena);
    enum err_code code = ERR_DOWN;

    hash128_hex(bundle_hash(bundle), hash);
    bundle_write(bundle, &a.bundle);
    a.rules = rules_topic_open(&a.kafka, a.topics.rules);
    for (int i = 1; i <= TRIES; i++) {
        code = try_once(&a, id, err);
        if (code == ERR_NONE || code == ERR_STATE || code == ERR_CONFIG || code == ERR_DOWN)
            break; /* the clients have waited for a Kafka that is down */
        clock_sleep_ms(i * BACK_OFF_MS);
    }
    *written = a.written;
    if (code == ERR_NONE && !a.written)
        memcpy(hash, a.active, HASH128_HEX_SIZE);
    rules_topic_close(a.rules);
    buf_free(&a.bundle);
    arena_free(arena);
    return code;
}

/* --- a folder ------------------------------------------------------------------------------------ */

static const char way_out[] =
    "attent: not put in force: nothing shows yet that these moments speak when they should, and only\n"
    "  then.  Write the cases that are asked for above (attent create moment begins a test, attent test\n"
    "  runs them).  If it has to be now: attent activate --unproved\n";

bool activate_read_folder(const char *folder, const struct bundle *before, bool proved,
                          struct arena *arena, struct bundle *out)
{
    struct diags diags = {0};
    struct err err = {0};
    struct ruleset *set;
    struct buf text = {0};
    bool fine, compiled;

    if (rules_folder_read(folder, arena, out, &err) != ERR_NONE) {
        fprintf(stderr, "attent: %s\n", err.text);
        return false;
    }
    fine = rules_check(folder, out, before, proved, &set, &diags, &err) == ERR_NONE;
    if (!fine)
        fprintf(stderr, "attent: %s\n", err.text);
    compiled = set != NULL;
    fine = fine && diags.error_count == 0;
    findings_put(&text, &diags);
    if (compiled && diags.error_count != 0)
        buf_put_text(&text, way_out);
    fputs(buf_text(&text), stderr);
    buf_free(&text);
    diags_free(&diags);
    ruleset_free(set);
    return fine;
}

/* --- at the start of `attent run` ------------------------------------------------------------------- */

/* Does the folder say something else than what is in force? */
static void compare(const char *folder, const char *active, struct arena *arena)
{
    char hash[HASH128_HEX_SIZE];
    struct bundle bundle;
    struct err err = {0};

    if (rules_folder_read(folder, arena, &bundle, &err) != ERR_NONE) {
        log_info("rules", "no rules folder here; the active rule set is used",
                 LOG_TEXT("active", active), LOG_TEXT("why", err.text), LOG_END);
        return;
    }
    hash128_hex(bundle_hash(&bundle), hash);
    if (strcmp(hash, active) == 0)
        log_info("rules", "in force", LOG_TEXT("active", active), LOG_END);
    else
        log_warn("rules",
                 "the rules folder differs from what is in force; `attent activate` puts it in "
                 "force",
                 LOG_TEXT("folder", folder), LOG_TEXT("active", active),
                 LOG_TEXT("of_folder", hash), LOG_END);
}

static enum err_code activate_first(const struct conf *conf, const char *folder,
                                    struct arena *arena, struct err *err)
{
    char hash[HASH128_HEX_SIZE];
    struct bundle bundle;
    bool written;
    enum err_code code;

    if (!activate_read_folder(folder, NULL, false, arena, &bundle))
        return err_set(err, ERR_CONFIG,
                       "no rules are in force yet, and those of %s cannot be put in force", folder);
    code = activate_bundle(conf, &bundle, true, hash, &written, err);
    if (code == ERR_NONE && written)
        log_info("rules", "first start: put in force", LOG_TEXT("folder", folder),
                 LOG_TEXT("active", hash), LOG_END);
    else if (code == ERR_NONE)
        compare(folder, hash, arena);
    return code;
}

enum err_code activate_at_start(const struct conf *conf, struct err *err)
{
    struct arena *arena = arena_new(0);
    struct kafka_settings kafka = config_kafka(conf, "rules", arena);
    struct rules_topic *rules = rules_topic_open(&kafka, config_topics(conf, arena).rules);
    const char *folder = conf_text(conf, "rules.folder").data;
    char active[HASH128_HEX_SIZE];
    enum err_code code = rules_topic_active(rules, active, err);

    if (code == ERR_NONE && active[0] != '\0')
        compare(folder, active, arena);
    else if (code == ERR_NONE)
        code = activate_first(conf, folder, arena, err);
    rules_topic_close(rules);
    arena_free(arena);
    return code;
}

/* --- the verb ----------------------------------------------------------------------------------------- */

/* What is in force, for what changes; *before NULL: nothing is yet. */
static enum err_code read_active(const struct command *c, struct bundle *active,
                                 const struct bundle **before, struct err *err)
{
    enum err_code code = rules_named_read(c->conf, RULES_NAMED_ACTIVE, c->arena, active, err);

    *before = code == ERR_NONE ? active : NULL;
    return code == ERR_STATE ? ERR_NONE : code; /* none yet, or none that can be read */
}

static int run_activate(const struct command *c)
{
    const char *folder = c->options.argument_count != 0 ? c->options.arguments[0]
                                                        : conf_text(c->conf, "rules.folder").data;
    char hash[HASH128_HEX_SIZE];
    struct bundle bundle, active;
    const struct bundle *before;
    struct err err = {0};
    bool written;

    if (!file_is_folder(folder)) {
        err_set(&err, ERR_IO, "%s is not a folder", folder);
        return cli_fail(&err);
    }
    if (read_active(c, &active, &before, &err) != ERR_NONE)
        return cli_fail(&err);
    if (!activate_read_folder(folder, before, !options_has(&c->options, "unproved"), c->arena,
                              &bundle))
        return EXIT_FINDINGS;
    if (options_has(&c->options, "plan"))
        return activate_plan(c, &bundle, folder);
    if (activate_bundle(c->conf, &bundle, false, hash, &written, &err) != ERR_NONE)
        return cli_fail(&err);
    if (options_has(&c->options, "json")) {
        printf("{\"rule_set\":\"%s\",\"written\":%s}\n", hash, written ? "true" : "false");
        return EXIT_FINE;
    }
    fprintf(stderr, "attent: %s\n", written ? "put in force" : "was in force already");
    puts(hash);
    return EXIT_FINE;
}

int verb_activate(int argc, char **argv)
{
    struct command c;
    int code;

    if (command_open(&c, "activate", argc, argv, 0, 1, &code))
        code = run_activate(&c);
    return command_close(&c, code);
}
