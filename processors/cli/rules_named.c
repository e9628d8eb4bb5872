#include "processors/cli/rules_named.h"

#include <inttypes.h>
#include <stdio.h>

#include "core/file.h"
#include "processors/cli/config.h"
#include "processors/cli/rules_folder.h"

enum { HASH_PREFIX_MIN = 4, NUMBER_DIGITS_MAX = 6 };

static bool is_number(const char *text)
{
    size_t digits = strspn(text, "0123456789");

    return digits != 0 && digits <= NUMBER_DIGITS_MAX && text[digits] == '\0';
}

static bool is_named(const struct activation_entry *entry, const char *text)
{
    char number[24];

    if (is_number(text)) {
        snprintf(number, sizeof number, "%" PRId64, entry->number);
        return strcmp(number, text) == 0;
    }
    return strlen(text) >= HASH_PREFIX_MIN && strncmp(entry->hash, text, strlen(text)) == 0;
}

const struct activation_entry *activation_find(const struct activation_history *history,
                                               const char *text, struct err *err)
{
    for (size_t i = history->count; i > 0; i--)
        if (is_named(&history->entries[i - 1], text))
            return &history->entries[i - 1];
    err_set(err, ERR_USAGE,
            "\"%s\" was never in force; `attent rules list` shows the numbers and hashes", text);
    return NULL;
}

static enum err_code find_hash(struct rules_topic *topic, const char *name, struct arena *arena,
                               char hash[HASH128_HEX_SIZE], struct err *err)
{
    const struct activation_entry *entry;
    struct activation_history history;
    enum err_code code;

    if (strcmp(name, RULES_NAMED_ACTIVE) == 0) {
        code = rules_topic_active(topic, hash, err);
        if (code == ERR_NONE && hash[0] == '\0')
            code = err_set(err, ERR_STATE, "no rules are in force yet: `attent activate`");
        return code;
    }
    code = rules_topic_history(topic, arena, &history, err);
    entry = code == ERR_NONE ? activation_find(&history, name, err) : NULL;
    if (entry == NULL)
        return code == ERR_NONE ? ERR_USAGE : code;
    memcpy(hash, entry->hash, HASH128_HEX_SIZE);
    return ERR_NONE;
}

enum err_code rules_named_read(const struct conf *conf, const char *name, struct arena *arena,
                               struct bundle *out, struct err *err)
{
    char hash[HASH128_HEX_SIZE];
    struct kafka_settings kafka;
    struct rules_topic *topic;
    enum err_code code;

    if (file_is_folder(name))
        return rules_folder_read(name, arena, out, err);
    kafka = config_kafka(conf, "rules", arena);
    topic = rules_topic_open(&kafka, config_topics(conf, arena).rules);
    code = find_hash(topic, name, arena, hash, err);
    if (code == ERR_NONE)
        code = rules_topic_bundle(topic, str_of(hash), arena, out, err);
    rules_topic_close(topic);
    return code;
}
