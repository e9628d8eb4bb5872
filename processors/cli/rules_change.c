#include "processors/cli/rules_change.h"

static enum change change_of(const struct moment *a, const struct moment *b, size_t *from_step)
{
    size_t same = 0;

    if (a == NULL || b == NULL)
        return a == NULL ? CHANGE_ADDED : CHANGE_GONE;
    while (same < a->step_count && same < b->step_count &&
           a->steps[same].upto == b->steps[same].upto)
        same++;
    *from_step = same;
    if (same < a->step_count || same < b->step_count)
        return CHANGE_STEPS;
    return strcmp(a->version, b->version) != 0 ? CHANGE_WORDS : CHANGE_NONE;
}

const char *change_word(enum change change)
{
    static const char *const words[] = {[CHANGE_NONE] = "none",
                                        [CHANGE_WORDS] = "words",
                                        [CHANGE_STEPS] = "steps",
                                        [CHANGE_ADDED] = "added",
                                        [CHANGE_GONE] = "gone"};

    return words[change];
}

size_t rules_changes(const struct ruleset *before, const struct ruleset *after, struct arena *arena,
                     struct moment_change **out)
{
    size_t a = before != NULL ? before->moment_count : 0, b = after->moment_count, count = 0;

    *out = ARENA_ARRAY(arena, struct moment_change, a + b);
    for (size_t i = 0, j = 0; i < a || j < b; count++) {
        struct moment_change *c = &(*out)[count];
        int order = i == a   ? 1
                    : j == b ? -1
                             : str_compare(before->moments[i].name, after->moments[j].name);

        c->before = order <= 0 ? &before->moments[i++] : NULL;
        c->after = order >= 0 ? &after->moments[j++] : NULL;
        c->name = c->before != NULL ? c->before->name : c->after->name;
        c->change = change_of(c->before, c->after, &c->from_step);
    }
    return count;
}

static const char *fate_words(enum on_change on_change)
{
    static const char *const words[] = {
        [ON_CHANGE_AUTO] = "no on_change: who stands before that goes on, the others end",
        [ON_CHANGE_KEEP] = "on_change: keep: who is under way goes on where they stand",
        [ON_CHANGE_RESTART] =
            "on_change: restart: who is under way begins again behind the first step",
        [ON_CHANGE_DROP] = "on_change: drop: it ends for who is under way"};

    return words[on_change];
}

void rules_change_put(struct buf *out, const struct moment_change *c)
{
    if (c->change == CHANGE_NONE)
        return;
    buf_put_format(out, "%.*s: ", STR_ARG(c->name));
    switch (c->change) {
    case CHANGE_ADDED: buf_put_text(out, "a new moment"); break;
    case CHANGE_GONE: buf_put_text(out, "gone: it ends for who is under way"); break;
    case CHANGE_STEPS:
        buf_put_format(out, "other steps from step %zu on, %s", c->from_step + 1,
                       fate_words(c->after->on_change));
        break;
    case CHANGE_WORDS:
        buf_put_text(out, "the steps are the same: who is under way goes on, with what is new");
        break;
    case CHANGE_NONE: break;
    }
    buf_put_char(out, '\n');
}
