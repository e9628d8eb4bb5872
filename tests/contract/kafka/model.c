/* What the model needs before the play begins. */
#include "tests/sim/kafka_model.h"
#include "tests/unit/sim/alone.h"

__attribute__((constructor)) static void begin(void)
{
    lone_begin(1);
    kafka_model_open();
}

__attribute__((destructor)) static void end(void)
{
    kafka_model_close();
}
