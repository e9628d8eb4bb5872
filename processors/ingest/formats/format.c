#include "processors/ingest/formats/format.h"

static const struct format *const formats[] = {&cloudevents_format, &json_format};

const struct format *format_find(struct str name)
{
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++)
        if (str_is(name, formats[i]->name))
            return formats[i];
    return NULL;
}
