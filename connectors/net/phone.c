#include "connectors/net/phone.h"

enum { DIGITS_MIN = 7, DIGITS_MAX = 15 };

bool phone_is_number(struct str s)
{
    if (s.len < 1 + DIGITS_MIN || s.len > 1 + DIGITS_MAX || s.data[0] != '+')
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return true;
}
