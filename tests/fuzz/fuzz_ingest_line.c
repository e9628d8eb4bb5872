/* A line of attent ingest --dry-run of any bytes: one answer, which is JSON on one line; what is accepted
 * keeps to CloudEvents' texts; and a record that goes into a schema fits the schema made of it. */
#include "core/check.h"
#include "core/limit.h"
#include "core/when.h"
#include "processors/cli/ingest_lines.h"
#include "schemas/schema.h"
#include "schemas/schema_infer.h"

static const struct ingest_config *config_once(void)
{
    static const struct event_type_file files[] = {{"t.json", STR("{}")},
                                                   {"customer.erased.json", STR("{}")}};
    static struct ingest_source sources[] = {
        {.topic = "c", .format = &cloudevents_format, .tombstone = TOMBSTONE_ERASE},
        {.topic = "j", .format = &json_format, .tombstone = TOMBSTONE_IGNORE},
    };
    static struct ingest_config config = {
        .sources = sources, .source_count = 2, .events_topic = "attent.events"};
    static struct arena *kept;
    static struct diags diags;

    if (config.types == NULL) {
        kept = arena_new(0);
        sources[1].mapping.type = mapping_origin_of(STR("t"));
        sources[1].mapping.subject = mapping_origin_of(STR("/who"));
        sources[1].mapping.time = mapping_origin_of(STR("/when"));
        config.types = event_types_read(files, 2, kept, &diags);
    }
    CHECK(config.types != NULL);
    return &config;
}

static void check_accepted(struct value accepted)
{
    static const char *const needed[] = {"specversion", "id", "source", "type"};
    struct value attributes = value_map_get(accepted, STR("attributes")), time;
    int64_t at_ms;

    for (size_t i = 0; i < 4; i++)
        CHECK(value_map_get(attributes, str_of(needed[i])).n > 0);
    time = value_map_get(attributes, STR("time"));
    CHECK(time.kind == VALUE_ABSENT || when_parse_to_the_letter(value_str(time), &at_ms));
    for (uint32_t i = 0; i < attributes.n; i++) {
        struct str text = value_str(attributes.map[i].value);
        for (size_t k = 0; k < text.len; k++)
            CHECK((unsigned char)text.data[k] >= 0x20 && text.data[k] != 0x7f);
    }
}

static struct value answer_to(struct str line, const struct ingest_config *config,
                              struct arena *arena)
{
    struct ingest_trial trial = {.config = config, .now_ms = 1772442000000};
    struct buf out = {0};
    struct value answer, accepted;

    ingest_trial_line(&trial, line, arena, &out);
    CHECK(out.len > 0 && memchr(out.data, '\n', out.len) == out.data + out.len - 1);
    CHECK(json_parse(arena_str(arena, buf_str(&out)), arena, &answer, NULL) == JSON_FINE);
    CHECK(answer.kind == VALUE_MAP && answer.n == 1);
    accepted = value_map_get(answer, STR("accepted"));
    if (accepted.kind != VALUE_ABSENT)
        check_accepted(accepted);
    buf_free(&out);
    return accepted;
}

static void check_schema(struct value accepted, struct arena *arena)
{
    struct value data = json_at(accepted, STR("/data/json"));
    struct schema_infer *infer;
    struct diags diags = {0};
    const struct schema *schema;
    struct buf text = {0};

    if (data.kind != VALUE_MAP)
        return;
    infer = schema_infer_new();
    for (int i = 0; i < 4; i++)
        schema_infer_see(infer, data);
    schema_infer_write(infer, STR("t"), &text);
    schema = schema_read(buf_str(&text), "t.json", arena, &diags);
    CHECK(schema != NULL && schema_validate(schema, data, NULL));
    schema_infer_free(infer);
    diags_free(&diags);
    buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct arena *arena = arena_new(0);
    struct str line = {(const char *)data, bytes};

    check_schema(answer_to(line, NULL, arena), arena);
    answer_to(line, config_once(), arena);
    arena_free(arena);
    return 0;
}
