#include "processors/cli/demo_parts.h"

#include <stdio.h>

#include "core/rng.h"
#include "core/when.h"

enum {
    RANDOM_CUSTOMERS = 40, /* few enough that their stories are seen to go on */
    ENDLESS_BYTES_MAX = 16 * 1024 * 1024,
};

struct traffic {
    struct rng rng;
    bool known[RANDOM_CUSTOMERS]; /* their profile has been written */
};

/* Where they live and how to reach them; the car on their policy is a light one. */
static enum err_code introduce(struct demo *demo, const char *id, struct err *err)
{
    struct str profile = arena_format(demo->arena,
                                      "{\"country\":\"NL\",\"time_zone\":\"Europe/Amsterdam\","
                                      "\"phone\":\"+31200000000\",\"email\":\"%s@example.com\"}",
                                      id);
    struct str policy = arena_format(demo->arena, "{\"vin\":\"OLD-%s\",\"weight_kg\":1100}", id);
    enum err_code code = demo_send_event(demo, "crm", id, "customer.updated", profile, err);

    return code == ERR_NONE ? demo_send_event(demo, "crm", id, "policy.updated", policy, err)
                            : code;
}

/* Something happens to a customer. */
static enum err_code live(struct demo *demo, struct rng *rng, const char *id, struct err *err)
{
    double pad_mm = 2.0 + 4.0 * rng_unit(rng);

    switch (rng_below(rng, 5)) {
    case 0:
    case 1:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s misses a payment", id);
        return demo_send_event(demo, "billing", id, "payment.missed",
                               STR("{\"amount\":64.5,\"invoice\":\"R-1\"}"), err);
    case 2:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s pays", id);
        return demo_send_event(demo, "billing", id, "payment.received",
                               STR("{\"amount\":64.5,\"invoice\":\"R-1\"}"), err);
    case 3:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event", "%s registers a Volvo", id);
        return demo_send_event(
            demo, "vehicles", id, "vehicle.registered",
            arena_format(demo->arena,
                         "{\"vin\":\"V-%s\",\"make\":\"Volvo\",\"model\":\"XC60\","
                         "\"weight_kg\":1900}",
                         id),
            err);
    default:
        screen_line(&demo->screen, demo->now_ms, TONE_EVENT, "event",
                    "%s's car reports brake pads of %.1f mm", id, pad_mm);
        return demo_send_event(
            demo, "vehicles", id, "vehicle.telemetry",
            arena_format(demo->arena, "{\"vin\":\"V-%s\",\"pad_mm\":%.1f}", id, pad_mm), err);
    }
}

/* One of the customers does something, or the contact centre answers. */
static enum err_code play_random(struct demo *demo, struct traffic *traffic, struct err *err)
{
    struct rng *rng = &traffic->rng;
    size_t number = rng_below(rng, RANDOM_CUSTOMERS);
    const char *id = arena_format(demo->arena, "c-%03zu", number).data;
    enum err_code code = ERR_NONE;

    demo->now_ms += (int64_t)rng_below(rng, 240) * WHEN_MINUTE_MS;
    if (demo->open_count != 0 && demo->open[0].outcome_count != 0 && rng_below(rng, 2) == 0) {
        const struct task *task = &demo->open[0];
        bool garage = str_is(task->channel, "garage");
        size_t answer = rng_below(rng, task->outcome_count); /* of those that it lists */
        const char *result = arena_str(demo->arena, task->outcomes[answer].code).data;

        screen_line(&demo->screen, demo->now_ms, TONE_ANSWER, garage ? "garage" : "centre",
                    "works the task of %.*s: %s", STR_ARG(task->customer), result);
        return demo_send_outcome(demo, 0, result, err);
    }
    if (!traffic->known[number])
        code = introduce(demo, id, err);
    traffic->known[number] = true;
    return code == ERR_NONE ? live(demo, rng, id, err) : code;
}

enum err_code demo_play_endless(struct demo *demo, struct err *err)
{
    struct traffic traffic = {.rng = rng_seeded(42)};
    enum err_code code = ERR_NONE;

    demo->scene = NULL;
    puts("\nThat was the story. Random traffic goes on; Ctrl-C ends it.\n");
    while (code == ERR_NONE && !*demo->config->stop) {
        if (arena_bytes(demo->arena) > ENDLESS_BYTES_MAX) {
            demo->open_count = 0; /* their texts go too: the centre forgets them */
            demo->told_count = 0;
            arena_reset(demo->arena);
        }
        code = play_random(demo, &traffic, err);
        if (code == ERR_NONE)
            code = demo_send_ticks(demo, err);
        if (code == ERR_NONE)
            code = demo_poll_once(demo, err);
    }
    return code;
}
