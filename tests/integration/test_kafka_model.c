/* The simulator's Kafka answers as Kafka does: random sequences of calls, played with both.
 *
 * KAFKA_SEQUENCES=5000 plays more of them, KAFKA_SEED=1000 others (the first of the sessions' seeds).
 */
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/str.h"
#include "tests/support/process.h"
#include "tests/support/server.h"
#include "tests/support/suite.h"

#define PLAY "build/asan/bin/tests/contract/kafka/"

enum { SEQUENCES = 480, PER_SESSION = 30, AT_A_TIME = 10, WAIT_MS = 600000 };

static struct server *kafka;

static void start(void)
{
    kafka = kafka_start(1);
}

static void stop(void)
{
    server_stop(kafka);
}

static unsigned long long number_of(const char *name, unsigned long long otherwise)
{
    const char *text = getenv(name);

    return text != NULL ? strtoull(text, NULL, 10) : otherwise;
}

/* Sessions share a broker, so the one that plays many keeps it busy while others wait. */
struct session {
    unsigned long long seed;
    char seed_text[24], count_text[24];
    struct process *real;
};

static struct process *play(struct session *s, const char *which, const char *brokers,
                            int sequences)
{
    char program[128];
    const char *const argv[] = {program, brokers, s->seed_text, "1", s->count_text, NULL};

    snprintf(program, sizeof program, PLAY "%s", which);
    snprintf(s->seed_text, sizeof s->seed_text, "%llu", s->seed);
    snprintf(s->count_text, sizeof s->count_text, "%d", sequences);
    return process_start(argv, NULL);
}

/* The first line that differs; false: none does. */
static bool differ(const char *real, const char *model, struct str *a, struct str *b)
{
    struct str rest_a = str_of(real), rest_b = str_of(model);

    do {
        bool more_a = str_cut(rest_a, '\n', a, &rest_a), more_b = str_cut(rest_b, '\n', b, &rest_b);

        if (more_a != more_b || !str_equal(*a, *b))
            return true;
        if (!more_a)
            return false;
    } while (true);
}

static void compare(struct session *s, int sequences)
{
    struct process *model = play(s, "model", "-", sequences);
    int real_code = process_wait(s->real, WAIT_MS), model_code = process_wait(model, WAIT_MS);
    struct str a, b;

    if (differ(process_stdout(s->real), process_stdout(model), &a, &b))
        ck_abort_msg("seed %llu\n  Kafka: %.*s\n  model: %.*s\n%s%s", s->seed, STR_ARG(a),
                     STR_ARG(b), process_stderr(s->real), process_stderr(model));
    ck_assert_msg(real_code == 0 && model_code == 0, "seed %llu: %d, %d\n%s%s", s->seed, real_code,
                  model_code, process_stderr(s->real), process_stderr(model));
    process_free(model);
    process_free(s->real);
}

START_TEST(the_model_answers_as_kafka_does)
{
    unsigned long long wanted = number_of("KAFKA_SEQUENCES", SEQUENCES),
                       seed = number_of("KAFKA_SEED", 1), sessions = wanted / PER_SESSION;
    struct session running[AT_A_TIME];
    int64_t began_ms = clock_mono_ms();
    size_t begun = 0;

    for (size_t i = 0; i < sessions; i++) {
        for (; begun < sessions && begun < i + AT_A_TIME; begun++) {
            struct session *s = &running[begun % AT_A_TIME];

            s->seed = seed + begun;
            s->real = play(s, "real", server_address(kafka), PER_SESSION);
        }
        compare(&running[i % AT_A_TIME], PER_SESSION);
    }
    printf("%llu sequences in %lld s\n", sessions * PER_SESSION,
           (long long)(clock_mono_ms() - began_ms) / 1000);
}
END_TEST

int main(void)
{
    const TTest *const tests[] = {the_model_answers_as_kafka_does};

    return suite_run_with("kafka model", tests, 1, 3600, start, stop);
}
