/* processors/worker/flight.h - the batches of a place that are on their way.  Private to the worker.
 *
 *     records        open                             sent
 *    [ gather ] --> [ decided --> acknowledged ] --> [ commit in flight ] --> durable
 *              |                                |
 *              while nothing is open            when all outputs are acknowledged,
 *                                               and no commit of this place is in flight
 *
 * At most one batch is open and one is sent.  While the commit of one is in flight, the next is
 * decided on top of it and published; it is sent when that commit has been answered.  Meanwhile records
 * gather in the consumer's queue, so a batch is what came during the round trips of those before it: a
 * record or two when it is quiet, thousands under load.  Nothing waits for a span of time.
 *
 * What is published from a batch whose predecessor's commit is then refused are records that the
 * owner writes as well, byte for byte (the state of a batch is a prefix of the log, whoever owns
 * it), and what was loaded for it came behind that commit, so it was refused too.
 *
 *   decided        its outputs are with the producer    refused: place_suspend(REWIND)
 *   acknowledged   Kafka has all of them
 *   sent           the commit is with the store         FENCED, GAP, DOWN: place_refused
 *   durable        it is answered
 *
 * Every failure drops both batches (flight_drop, by way of place_suspend and place_stop).
 */
#ifndef ATTENT_PROCESSORS_WORKER_FLIGHT_H
#define ATTENT_PROCESSORS_WORKER_FLIGHT_H

#include "processors/worker/place.h"

/* Do what can be done without waiting for Kafka or the store (loading states does wait): true,
 * something was done.  err: what Kafka has refused (it has been dealt with). */
bool flight_decide(struct worker *w, struct place *place, struct err *err);
bool flight_move_on(struct worker *w, struct err *err); /* all places: answers, commits */

/* The first records of what was taken are done; what is left comes in the next batch. */
void flight_advance(struct worker *w, struct place *place, size_t done);

/* Wait until nothing is on its way. */
void flight_land(struct worker *w);

/* Forget what is on its way: it may still happen, and does no harm. */
void flight_drop(struct worker *w, struct place *place);

bool flight_is_empty(const struct place *place);

/* The producer, opened if need be; NULL: err says why. */
struct kafka_producer *flight_producer(struct worker *w, struct err *err);

#endif
