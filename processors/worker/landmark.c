/* Nothing is decided, no timer fires and no tick is written before the comparison: what is read from the
 * record in front of `next` on is in the queue at once, so it costs one record per claim.
 *
 * A fetch that the broker answers covers its offset.  So if what comes begins behind the record, there is
 * none: in a log of ours a record stands there, never the mark of a transaction.
 */
#include "processors/worker/landmark.h"

#include "core/hash.h"
#include "core/mutant.h"
#include "processors/worker/flight.h"

static bool is_same(struct hash128 a, struct hash128 b)
{
    return a.low == b.low && a.high == b.high;
}

void landmark_begin(struct place *place, int64_t first)
{
    static const struct hash128 unknown;

    place->landmark = !is_same(engine_last(place->engine), unknown) &&
                      first < engine_next(place->engine) && !MUTANT(LANDMARK_UNREAD);
}

int64_t landmark_start(const struct place *place)
{
    return place->next - place->landmark;
}

static void stop(struct worker *w, struct place *place, const char *what)
{
    struct err why;

    err_set(&why, ERR_STATE,
            "%s/%d is another log than the state is of: at offset %lld %s; the topic was made "
            "again, or Kafka has lost records and others took their place: `attent snapshot DIR` "
            "and `attent init --from DIR --log beginning`, both with --step %s, keep the states",
            w->config.input, place->number, (long long)place->next - 1, what, w->class->name);
    place_stop(w, place, &why);
}

bool landmark_passed(struct worker *w, struct place *place)
{
    const struct record *record = place->run.records;

    if (!place->landmark)
        return true;
    if (place->run.count == 0) {
        if (kafka_consumer_read_to(w->consumer, w->config.input, place->number) >= place->next)
            stop(w, place, "there is no record");
        return false;
    }
    if (record->offset >= place->next) {
        stop(w, place, "there is no record");
        return false;
    }
    if (!is_same(record_hash(record), engine_last(place->engine))) {
        stop(w, place, "another record stands than was read there");
        return false;
    }
    place->landmark = false;
    flight_advance(w, place, 1);
    return true;
}
