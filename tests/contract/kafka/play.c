#include "tests/contract/kafka/play.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/clock.h"
#include "core/log.h"

enum { CALLS_MAX = 8, GROUP_EACH = 30 };

uint64_t draw(struct play *p, uint64_t bound)
{
    return rng_below(&p->rng, bound);
}

void say(const struct play *p, const char *format, ...)
{
    va_list args;

    printf("%llu/%d ", (unsigned long long)p->seed, p->sequence);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    putchar('\n');
}

const char *word(enum err_code code)
{
    return err_code_text(code);
}

/* What no sequence can go on without. */
void must(const struct play *p, enum err_code code, const char *what, const struct err *err)
{
    if (code == ERR_NONE)
        return;
    say(p, "%s: %s", what, err->text);
    exit(1);
}

struct board *draw_board(struct play *p)
{
    return &p->boards[draw(p, TOPICS)];
}

int64_t stable_end(const struct spot *s)
{
    int64_t end = s->next;

    for (size_t i = 0; i < SENDERS; i++)
        if (s->open_at[i] >= 0 && s->open_at[i] < end)
            end = s->open_at[i];
    return end;
}

static void make_topics(struct play *p)
{
    const struct kafka_property small = {"max.message.bytes", "1000"};
    struct kafka_topic_config topics[TOPICS + 1];
    struct err err = {0};

    for (size_t i = 0; i < TOPICS; i++) {
        struct board *b = &p->boards[i];

        snprintf(b->topic, sizeof b->topic, "play.%llu.%zu", (unsigned long long)p->seed, i);
        b->partitions = (int)PARTITIONS_MAX - (int)i;
        for (int k = 0; k < PARTITIONS_MAX; k++)
            b->spots[k].open_at[0] = b->spots[k].open_at[1] = -1;
        topics[i] = (struct kafka_topic_config){b->topic, b->partitions, -1, &small, i == SMALL};
    }
    snprintf(p->shadow, sizeof p->shadow, "play.%llu.shadow", (unsigned long long)p->seed);
    topics[TOPICS] = (struct kafka_topic_config){p->shadow, 1, -1, NULL, 0};
    must(p, kafka_topics_create(&p->settings, topics, TOPICS + 1, &err), "create", &err);
    say(p, "create again: %s", word(kafka_topics_create(&p->settings, topics, 1, &err)));
}

static void play_call(struct play *p)
{
    switch (draw(p, 12)) {
    case 0:
    case 1:
    case 2: write_plain(p); break;
    case 3:
    case 4:
    case 5: write_transaction(p); break;
    case 6: draw(p, 3) == 0 ? write_refused(p) : write_plain(p); break;
    case 7: draw(p, 3) == 0 ? write_fenced(p) : write_transaction(p); break;
    case 8: read_paused(p); break;
    case 9: draw(p, 2) == 0 ? read_nowhere(p) : read_from_end(p); break;
    case 10: draw(p, 4) == 0 ? read_afresh(p) : read_some(p); break;
    default: read_answers(p); break;
    }
}

static void play_session(uint64_t seed, const char *brokers, int sequences)
{
    struct play p = {.rng = rng_seeded(seed),
                     .seed = seed,
                     .settings = {.brokers = brokers, .client_id = "play"}};

    make_topics(&p);
    write_open(&p);
    read_open(&p);
    for (p.sequence = 1; p.sequence <= sequences; p.sequence++) {
        for (uint64_t calls = 2 + draw(&p, CALLS_MAX - 1); calls > 0; calls--)
            play_call(&p);
        if (draw(&p, GROUP_EACH) == 0)
            group_play(&p);
        read_some(&p);
    }
    kafka_consumer_close(p.reader);
    write_close(&p);
}

int main(int argc, char **argv)
{
    uint64_t first, count;

    if (argc != 5) {
        fprintf(stderr, "usage: play BROKERS FIRST COUNT SEQUENCES\n");
        return 2;
    }
    setvbuf(stdout, NULL, _IOLBF, 0);
    log_setup(LOG_ERROR, LOG_LOGFMT, false);
    first = strtoull(argv[2], NULL, 10);
    count = strtoull(argv[3], NULL, 10);
    for (uint64_t seed = first; seed < first + count; seed++) {
        play_session(seed, argv[1], atoi(argv[4]));
        fflush(stdout);
    }
    return 0;
}
