#include "rules/moment/texts.h"

const struct template *texts_in(const struct texts *texts, struct str language, struct str fallback)
{
    if (texts->written.count == 0)
        return NULL;
    return texts->compiled[phrases_choose(&texts->written, language, fallback)];
}

void texts_slots(const struct texts *texts, void (*each)(void *context, uint32_t slot),
                 void *context)
{
    for (size_t i = 0; i < texts->written.count; i++)
        if (texts->compiled[i] != NULL)
            template_slots(texts->compiled[i], each, context);
}

static bool all_have(const struct texts *const *texts, size_t count, struct str language,
                     struct str fallback)
{
    bool any = false;

    for (size_t i = 0; i < count; i++) {
        if (texts[i]->written.count == 0)
            continue;
        any = true;
        if (phrases_find(&texts[i]->written, language, fallback) < 0)
            return false;
    }
    return any;
}

/* As the texts write it, so that "NL_be" becomes "nl-BE". */
static struct str spelled(const struct texts *const *texts, size_t count, struct str language,
                          struct str fallback)
{
    for (size_t i = 0; i < count; i++) {
        int found = phrases_find(&texts[i]->written, language, fallback);
        if (found >= 0 && texts[i]->written.items[found].language.len != 0)
            return texts[i]->written.items[found].language;
    }
    return fallback;
}

struct str texts_language(const struct texts *const *texts, size_t count, struct str wanted,
                          struct str fallback)
{
    const struct str tries[] = {wanted, language_primary(wanted), fallback};

    for (size_t i = 0; i < sizeof tries / sizeof tries[0]; i++)
        if (tries[i].len != 0 && all_have(texts, count, tries[i], fallback))
            return spelled(texts, count, tries[i], fallback);
    for (size_t i = 0; i < count; i++) {
        const struct phrases *written = &texts[i]->written;
        if (written->count != 0) {
            struct str own = written->items[phrases_choose(written, wanted, fallback)].language;
            return own.len != 0 ? own : fallback;
        }
    }
    return fallback;
}
