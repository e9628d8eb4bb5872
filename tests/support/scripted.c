#include "tests/support/scripted.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/check.h"
#include "core/clock.h"
#include "core/hash.h"
#include "core/mem.h"
#include "tests/support/scratch.h"

#define WORDS "accept|retry|down|refuse|stop|gone|lost|doubt|kill|killed"

static const struct conf_field fields[] = {
#define CONF(path_, kind_, fallback_, doc_, ...)                                                   \
    {.path = path_, .kind = CONF_##kind_, .fallback = fallback_, .doc = doc_, __VA_ARGS__},
#include "processors/dispatch/channel_options.def"
#undef CONF
    {.path = "log", .kind = CONF_TEXT, .doc = "File of what came."},
    {.path = "script",
     .kind = CONF_LIST,
     .fallback = "[accept]",
     .choices = WORDS,
     .doc = "What becomes of the first attempt, the second, ..."},
    {.path = "faults",
     .kind = CONF_INT,
     .fallback = "0",
     .max = 100,
     .doc = "Percent of attempts that go wrong."},
    {.path = "delay", .kind = CONF_SPAN, .fallback = "0s", .doc = "How long a call takes."},
    {.path = "ask",
     .kind = CONF_CHOICE,
     .fallback = "look",
     .choices = "look|" WORDS,
     .doc = "What it says when asked."},
    {.path = "withdraw",
     .kind = CONF_CHOICE,
     .fallback = "accept",
     .choices = WORDS,
     .doc = "What becomes of a withdrawal."},
    {0},
};

struct connector {
    const struct conf *conf;
    int file;
    struct str log;
};

static enum err_code scripted_open(const struct conf *conf, struct connector **out, struct err *err)
{
    struct connector *c = MEM_NEW(struct connector);
    struct str log = conf_text(conf, "log");

    *out = NULL;
    c->conf = conf;
    c->log = log;
    c->file = open(log.data, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (c->file == -1) {
        mem_free(c);
        return err_set(err, ERR_IO, "scripted: %s cannot be opened", log.data);
    }
    *out = c;
    return ERR_NONE;
}

static void scripted_close(struct connector *c)
{
    if (c == NULL)
        return;
    close(c->file);
    mem_free(c);
}

/* One write, so that the lines of several senders do not mix. */
static void note(const struct connector *c, const char *operation, const struct sending *s)
{
    char line[160];
    int bytes = snprintf(line, sizeof line, "%s %.*s %u %.*s\n", operation, STR_ARG(s->task->id),
                         (unsigned)s->attempt, STR_ARG(s->task->customer));

    CHECK(bytes > 0 && (size_t)bytes < sizeof line && write(c->file, line, (size_t)bytes) == bytes);
}

/* Is the word in "a|b|c"? */
static bool is_one_of(struct str word, const char *words)
{
    struct str rest = str_of(words), one;

    while (str_cut(rest, '|', &one, &rest))
        if (str_equal(one, word))
            return true;
    return str_equal(rest, word);
}

static enum delivery answer(struct str word, struct receipt *receipt, struct err *err)
{
    receipt->opted_out = str_is(word, "stop");
    receipt->gone = str_is(word, "gone");
    if (is_one_of(word, "accept|killed"))
        return DELIVERY_ACCEPTED;
    err_set(err, ERR_DOWN, "the script says %.*s", STR_ARG(word));
    if (str_is(word, "retry"))
        return DELIVERY_RETRY;
    if (str_is(word, "down"))
        return DELIVERY_DOWN;
    return is_one_of(word, "lost|doubt") ? DELIVERY_UNKNOWN : DELIVERY_REFUSED;
}

static enum delivery act(const struct connector *c, const char *operation, struct str word,
                         const struct sending *s, struct receipt *receipt, struct err *err)
{
    clock_sleep_ms(conf_int(c->conf, "delay"));
    if (str_is(word, "kill"))
        kill(getpid(), SIGKILL);
    if (is_one_of(word, "accept|doubt|killed"))
        note(c, operation, s);
    if (str_is(word, "killed"))
        kill(getpid(), SIGKILL);
    snprintf(receipt->reference, sizeof receipt->reference, "ref-%.*s", STR_ARG(s->task->id));
    return answer(word, receipt, err);
}

/* Faults come from the task and the attempt, so that a run can be repeated. */
static struct str word_of(const struct connector *c, const struct sending *s)
{
    static const char *const faults[] = {"retry", "down", "lost", "doubt"};
    size_t count = conf_count(c->conf, "script");
    size_t index = s->attempt - 1 < count ? s->attempt - 1 : count - 1;
    uint64_t chance = hash_bytes(s->task->id, s->attempt);

    if ((int64_t)(chance % 100) < conf_int(c->conf, "faults"))
        return str_of(faults[chance / 100 % 4]);
    return conf_item_text(c->conf, "script", index);
}

static enum delivery scripted_deliver(struct connector *c, const struct sending *s,
                                      struct receipt *receipt, struct err *err)
{
    return act(c, "deliver", word_of(c, s), s, receipt, err);
}

static enum delivery look(const struct connector *c, const struct sending *s, struct err *err)
{
    char *text = scratch_read(c->log.data, NULL);
    char line[64];
    bool came;

    snprintf(line, sizeof line, "deliver %.*s ", STR_ARG(s->task->id));
    came = text != NULL && strstr(text, line) != NULL;
    free(text);
    if (!came)
        err_set(err, ERR_STATE, "it did not come");
    return came ? DELIVERY_ACCEPTED : DELIVERY_RETRY;
}

static enum delivery scripted_ask(struct connector *c, const struct sending *s,
                                  struct receipt *receipt, struct err *err)
{
    struct str word = conf_text(c->conf, "ask");

    note(c, "ask", s);
    return str_is(word, "look") ? look(c, s, err) : answer(word, receipt, err);
}

static enum delivery scripted_withdraw(struct connector *c, const struct sending *s,
                                       const struct withdrawal *w, struct receipt *receipt,
                                       struct err *err)
{
    return act(c, w->notice ? "notice" : "withdraw", conf_text(c->conf, "withdraw"), s, receipt,
               err);
}

const struct connector_class scripted_class = {
    .name = "scripted",
    .fields = fields,
    .guarantee = GUARANTEE_AT_MOST_ONCE,
    .open = scripted_open,
    .close = scripted_close,
    .deliver = scripted_deliver,
};

const struct connector_class scripted_askable_class = {
    .name = "scripted_askable",
    .fields = fields,
    .guarantee = GUARANTEE_AT_MOST_ONCE,
    .open = scripted_open,
    .close = scripted_close,
    .deliver = scripted_deliver,
    .ask = scripted_ask,
    .withdraw = scripted_withdraw,
};

const struct connector_class scripted_idempotent_class = {
    .name = "scripted_idempotent",
    .fields = fields,
    .guarantee = GUARANTEE_IDEMPOTENT,
    .open = scripted_open,
    .close = scripted_close,
    .deliver = scripted_deliver,
    .withdraw = scripted_withdraw,
};

const struct conf *scripted_conf(const char *yaml, struct arena *arena)
{
    struct diags diags = {0};
    const struct conf *conf = conf_read(fields, str_of(yaml), "scripted", NULL, 0, arena, &diags);

    if (conf == NULL)
        scratch_fail("%s: %s", yaml, diags.items[0].what);
    diags_free(&diags);
    return conf;
}

/* --- what came -------------------------------------------------------------------------------- */

struct scripted_line *scripted_read(const char *log, struct arena *arena, size_t *count)
{
    char *text = scratch_read(log, NULL);
    struct str rest = str_of(text), line;
    struct scripted_line *lines =
        ARENA_ARRAY(arena, struct scripted_line, (text != NULL ? strlen(text) / 8 : 0) + 1);

    *count = 0;
    while (str_cut(rest, '\n', &line, &rest)) {
        struct scripted_line *l = &lines[*count];
        CHECK(sscanf(line.data, "%15s %39s %u %39s", l->operation, l->id, &l->attempt,
                     l->customer) == 4);
        ++*count;
    }
    free(text);
    return lines;
}

static int by_operation_and_id(const void *a, const void *b)
{
    const struct scripted_line *x = a, *y = b;
    int order = strcmp(x->operation, y->operation);

    return order != 0 ? order : strcmp(x->id, y->id);
}

struct scripted_count scripted_count(const char *log, const char *operation)
{
    struct arena *arena = arena_new(0);
    struct scripted_count out = {0};
    size_t count, same = 0;
    struct scripted_line *lines = scripted_read(log, arena, &count);

    qsort(lines, count, sizeof *lines, by_operation_and_id);
    for (size_t i = 0; i < count; i++) {
        bool again = i > 0 && by_operation_and_id(&lines[i], &lines[i - 1]) == 0;
        if (strcmp(lines[i].operation, operation) != 0)
            continue;
        same = again ? same + 1 : 1;
        out.lines++;
        out.tasks += !again;
        out.most = same > out.most ? same : out.most;
    }
    arena_free(arena);
    return out;
}
