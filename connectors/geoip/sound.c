/* MaxMind DB file format 2.0.  A value begins with a control byte: type in the upper 3 bits (0: a byte
 * with type - 7 follows), size in the lower 5 (29, 30, 31: 1, 2, 3 bytes of size follow).  A pointer
 * has 2 bits for how many bytes follow, and leads to a value that is no pointer. */
#include "connectors/geoip/sound.h"

#include <string.h>

#include "core/limit.h"

enum {
    DEPTH_MAX = 16, /* of a record: those that are sold have 4 */
    METADATA_BYTES_MAX = 128 * 1024,
};

enum type {
    TYPE_POINTER = 1,
    TYPE_TEXT = 2,
    TYPE_DOUBLE = 3,
    TYPE_BYTES = 4,
    TYPE_UINT16 = 5,
    TYPE_UINT32 = 6,
    TYPE_MAP = 7,
    TYPE_INT32 = 8,
    TYPE_UINT64 = 9,
    TYPE_UINT128 = 10,
    TYPE_ARRAY = 11,
    TYPE_BOOL = 14,
    TYPE_FLOAT = 15,
};

struct walk {
    struct str section;
    size_t at;
    int values_left;
};

static bool take(struct walk *w, size_t count, size_t *number)
{
    if (count > w->section.len - w->at)
        return false;
    *number = 0;
    for (size_t i = 0; i < count; i++)
        *number = *number << 8 | (unsigned char)w->section.data[w->at++];
    return true;
}

static bool take_control(struct walk *w, enum type *type, size_t *size)
{
    static const size_t more[] = {29, 285, 65821};
    size_t control, next;

    if (!take(w, 1, &control))
        return false;
    *type = (enum type)(control >> 5);
    *size = control & 31;
    if (*type == TYPE_POINTER)
        return true;
    if (control >> 5 == 0) {
        if (!take(w, 1, &next))
            return false;
        *type = (enum type)(next + 7);
    }
    if (*size >= 29) {
        size_t bytes = *size - 28;
        if (!take(w, bytes, &next))
            return false;
        *size = more[bytes - 1] + next;
    }
    return true;
}

/* size: the lower bits of the control byte; where it leads. */
static bool take_pointer(struct walk *w, size_t size, size_t *to)
{
    static const size_t more[] = {0, 2048, 526336, 0};
    size_t bytes = size >> 3, number;

    if (!take(w, bytes + 1, &number))
        return false;
    *to = (bytes == 3 ? number : (size & 7) << (8 * (bytes + 1)) | number) + more[bytes];
    return *to < w->section.len;
}

static bool skip(struct walk *w, size_t size)
{
    if (size > w->section.len - w->at)
        return false;
    w->at += size;
    return true;
}

static bool walk_value(struct walk *w, int depth, bool key, bool pointed);

static bool walk_items(struct walk *w, size_t count, bool keys, int depth)
{
    for (size_t i = 0; i < count; i++)
        if ((keys && !walk_value(w, depth + 1, true, false)) ||
            !walk_value(w, depth + 1, false, false))
            return false;
    return true;
}

static bool walk_pointer(struct walk *w, size_t size, int depth, bool key)
{
    size_t to, back;
    bool sound;

    if (!take_pointer(w, size, &to))
        return false;
    back = w->at;
    w->at = to;
    sound = walk_value(w, depth + 1, key, true);
    w->at = back;
    return sound;
}

static bool walk_value(struct walk *w, int depth, bool key, bool pointed)
{
    enum type type;
    size_t size;

    if (depth > DEPTH_MAX || w->values_left-- == 0 || !take_control(w, &type, &size))
        return false;
    if (type == TYPE_POINTER)
        return !pointed && walk_pointer(w, size, depth, key);
    if (key && type != TYPE_TEXT)
        return false;
    switch (type) {
    case TYPE_POINTER: break;
    case TYPE_TEXT:
    case TYPE_BYTES: return skip(w, size);
    case TYPE_DOUBLE: return size == 8 && skip(w, size);
    case TYPE_FLOAT: return size == 4 && skip(w, size);
    case TYPE_UINT16: return size <= 2 && skip(w, size);
    case TYPE_UINT32:
    case TYPE_INT32: return size <= 4 && skip(w, size);
    case TYPE_UINT64: return size <= 8 && skip(w, size);
    case TYPE_UINT128: return size <= 16 && skip(w, size);
    case TYPE_BOOL: return size <= 1;
    case TYPE_MAP: return walk_items(w, size, true, depth);
    case TYPE_ARRAY: return walk_items(w, size, false, depth);
    }
    return false;
}

bool sound_value(struct str section, size_t offset)
{
    struct walk w = {section, offset, LIMIT_GEO_RECORD_VALUES};

    return offset < section.len && walk_value(&w, 0, false, true);
}

bool sound_metadata(struct str file, struct str *metadata)
{
    static const char mark[] = "\xab\xcd\xefMaxMind.com";
    size_t bytes = sizeof mark - 1, first = 0;

    if (file.len > METADATA_BYTES_MAX)
        first = file.len - METADATA_BYTES_MAX;
    if (file.len < bytes)
        return false;
    for (size_t at = file.len - bytes + 1; at-- > first;)
        if (memcmp(file.data + at, mark, bytes) == 0) {
            *metadata = str_slice(file, at + bytes, file.len);
            return sound_value(*metadata, 0);
        }
    return false;
}
