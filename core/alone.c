#include "core/alone.h"

#include <pthread.h>

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

void alone_begin(void)
{
    pthread_mutex_lock(&lock);
}

void alone_end(void)
{
    pthread_mutex_unlock(&lock);
}
