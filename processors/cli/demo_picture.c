#include "processors/cli/demo_picture.h"

#include <string.h>

static bool is_line(const struct picture_line *line, struct str customer, struct str moment,
                    struct str about)
{
    return str_equal(line->customer, customer) && str_equal(line->moment, moment) &&
           str_equal(line->about, about);
}

/* Behind the customer's other lines. */
static struct picture_line *add_line(struct picture *picture, struct str customer,
                                     struct str moment, struct str about)
{
    struct picture_line *line = ARENA_NEW(picture->arena, struct picture_line);
    struct picture_line **place = &picture->lines;

    for (struct picture_line **at = &picture->lines; *at != NULL; at = &(*at)->next)
        if (str_equal((*at)->customer, customer) || !str_equal((*place)->customer, customer))
            place = &(*at)->next;
    *line = (struct picture_line){.next = *place,
                                  .customer = arena_str(picture->arena, customer),
                                  .moment = arena_str(picture->arena, moment),
                                  .about = arena_str(picture->arena, about)};
    *place = line;
    return line;
}

void picture_mark(struct picture *picture, struct str customer, struct str moment, struct str about,
                  struct str mark, bool sent)
{
    struct picture_line *line = picture->lines;

    while (line != NULL && !is_line(line, customer, moment, about))
        line = line->next;
    if (line == NULL)
        line = add_line(picture, customer, moment, about);
    line->sent |= sent;
    if (str_equal(line->last, mark))
        return;
    line->last = arena_str(picture->arena, mark);
    line->marks = arena_format(picture->arena, "%.*s%s%.*s", STR_ARG(line->marks),
                               line->marks.len != 0 ? " > " : "", STR_ARG(mark));
}

void picture_put(struct buf *out, const struct picture *picture,
                 const char *(*name)(const char *customer))
{
    size_t names = 0, moments = 0;

    for (const struct picture_line *line = picture->lines; line != NULL; line = line->next) {
        size_t len = strlen(name(line->customer.data));
        names = len > names ? len : names;
        moments = line->moment.len > moments ? line->moment.len : moments;
    }
    for (const struct picture_line *line = picture->lines; line != NULL; line = line->next)
        buf_put_format(out, "  %-*s  %-*.*s  %.*s%s\n", (int)names, name(line->customer.data),
                       (int)moments, STR_ARG(line->moment), STR_ARG(line->marks),
                       line->sent ? "" : ": nothing was sent");
}
