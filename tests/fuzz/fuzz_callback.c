/* Anybody may call a callback with anything, and one with the secret still may say anything: no
 * channel's verify or read does harm, and what read gives can be made a reference, a code, an id.
 * The first byte chooses channel and method; then lines of headers, an empty line, the body. */
#include <stddef.h>
#include <stdint.h>

#include "connectors/callback/reference.h"
#include "connectors/channel.h"
#include "core/check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes);

enum { HEADERS_MAX = 16 };

static const struct {
    const char *class, *yaml;
} channels[] = {
    {"sms", "account: AC1\ntoken: \"${NONE:12345}\"\nfrom: Example\n"},
    {"webhook", "url: \"${NONE:https://example.org/}\"\n"
                "secrets: \"${NONE:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\"\n"
                "callback.secrets: \"${NONE:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw}\"\n"},
    {"whatsapp", "phone_number_id: \"1\"\ntoken: \"${NONE:x}\"\ntemplate: t\n"
                 "app_secret: \"${NONE:secret}\"\nverify_token: \"${NONE:token}\"\n"},
};
enum { CHANNELS = sizeof channels / sizeof channels[0] };

static const struct conf *conf_of(size_t channel)
{
    static const struct conf *confs[CHANNELS];
    static struct arena *arena; /* as long as the process */
    struct diags diags = {0};

    if (arena == NULL)
        arena = arena_new(0);
    if (confs[channel] == NULL)
        confs[channel] = conf_read(channel_find(str_of(channels[channel].class))->fields,
                                   str_of(channels[channel].yaml), "fuzz", NULL, 0, arena, &diags);
    CHECK(confs[channel] != NULL);
    diags_free(&diags);
    return confs[channel];
}

static size_t take_headers(struct str *text, struct header *headers)
{
    size_t count = 0;
    struct str line, rest;

    while (count < HEADERS_MAX && str_cut(*text, '\n', &line, &rest)) {
        *text = rest;
        if (!str_cut(line, ':', &headers[count].name, &headers[count].value))
            break;
        headers[count].value = str_trim(headers[count].value);
        count++;
    }
    return count;
}

static void use(const struct callback_report *report)
{
    struct buf bytes = {0};
    struct reference reference;

    for (size_t i = 0; i < report->outcome_count; i++) {
        CHECK(report->outcomes[i].code.len != 0 && report->outcomes[i].code.len <= 64);
        reference_read(report->outcomes[i].reference, STR("0123456789abcdef0123456789abcdef"), 0,
                       &bytes, &reference);
    }
    buf_free(&bytes);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t bytes)
{
    struct str text = {(const char *)data, bytes};
    struct header headers[HEADERS_MAX];
    struct callback_report report = {0};
    struct arena *arena;
    struct err err = {0};
    size_t channel;

    if (bytes == 0)
        return 0;
    arena = arena_new(0);
    channel = data[0] / 2 % CHANNELS;
    text = str_slice(text, 1, text.len);
    struct callback callback = {.method = data[0] % 2 == 0 ? STR("POST") : STR("GET"),
                                .url = STR("https://example.org/callback/x/y"),
                                .headers = headers,
                                .reference = STR("y"),
                                .now_ms = 1772438400000};
    callback.header_count = take_headers(&text, headers);
    callback.body = callback.query = text;
    const struct callback_class *class = channel_find(str_of(channels[channel].class))->callback;
    class->verify(conf_of(channel), &callback, &err);
    if (class->read(conf_of(channel), &callback, arena, &report, &err) == CALLBACK_FINE)
        use(&report);
    arena_free(arena);
    return 0;
}
