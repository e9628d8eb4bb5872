/* A mapping and a document of any bytes: the first six lines are the paths of id, type, time, subject and
 * data and the source, the rest is the record.  What is mapped has all attributes, and texts that
 * CloudEvents takes. */
#include "core/check.h"
#include "core/uri.h"
#include "processors/ingest/formats/format.h"
#include "processors/ingest/formats/json/mapping.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str rest = {(const char *)data, bytes}, lines[6] = {{0}};
    struct arena *arena = arena_new(0);
    struct message message = {0};
    struct mapping mapping;
    struct record record = {.topic = STR("s"), .key = STR("k")};
    struct err err = {0};

    for (int i = 0; i < 6 && str_cut(rest, '\n', &lines[i], &rest); i++)
        continue;
    record.value = rest;
    mapping = (struct mapping){.id = mapping_origin_of(lines[0]),
                               .type = mapping_origin_of(lines[1]),
                               .time = mapping_origin_of(lines[2]),
                               .subject = mapping_origin_of(lines[3]),
                               .data = mapping_origin_of(lines[4]),
                               .source = lines[5]};
    if (json_format.decode(&mapping, &record, arena, &message, &err) == EVENT_FINE) {
        CHECK(message_check(&message, NULL) == EVENT_FINE);
        CHECK(uri_is_reference(message_attribute(&message, "source")));
        CHECK(message.data.kind == CONTENT_JSON);
    } else {
        CHECK(err.text[0] != '\0');
    }
    arena_free(arena);
    return 0;
}
