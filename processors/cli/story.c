#include "processors/cli/story.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const struct person story_people[] = {
    {"c-anna", "Anna"}, {"c-bert", "Bert"}, {"c-chris", "Chris"},
    {"c-dewi", "Dewi"}, {"c-eva", "Eva"},   {"c-finn", "Finn"},
};
const size_t story_person_count = COUNT(story_people);

/* Who they are; the same system tells us about each. */
#define PROFILE(id, phone_tail)                                                                      \
    {                                                                                                \
        SCENE_QUIET, "2025-01-06T08:00:00+01:00", id, "crm", "customer.updated",                     \
            "{\"country\":\"NL\",\"time_zone\":\"Europe/Amsterdam\",\"phone\":\"+3120000" phone_tail \
            "\",\"email\":\"" id "@example.com\"}",                                                  \
            NULL,                                                                                    \
        {                                                                                            \
            NULL                                                                                     \
        }                                                                                            \
    }

/* The car on the policy, before a new one. */
#define INSURED(id, vin)                                                                           \
    {                                                                                              \
        SCENE_QUIET, "2025-01-06T08:01:00+01:00", id, "crm", "policy.updated",                     \
            "{\"vin\":\"" vin "\",\"weight_kg\":1100}", NULL,                                      \
        {                                                                                          \
            NULL                                                                                   \
        }                                                                                          \
    }

#define PADS(id, when, vin, mm, words_, ...)                                                       \
    {                                                                                              \
        SCENE_EVENT, when, id, "vehicles", "vehicle.telemetry",                                    \
            "{\"vin\":\"" vin "\",\"pad_mm\":" mm ",\"odometer_km\":48211}", words_,               \
        {                                                                                          \
            __VA_ARGS__                                                                            \
        }                                                                                          \
    }

/* Before a crossing there is a value on the other side of it. */
#define PADS_GOOD(id, vin)                                                                         \
    {                                                                                              \
        SCENE_QUIET, "2025-01-06T08:02:00+01:00", id, "vehicles", "vehicle.telemetry",             \
            "{\"vin\":\"" vin "\",\"pad_mm\":3.4,\"odometer_km\":47950}", NULL,                    \
        {                                                                                          \
            NULL                                                                                   \
        }                                                                                          \
    }

const struct scene story_scenes[] = {
    PROFILE("c-anna", "0001"),
    PROFILE("c-bert", "0002"),
    PROFILE("c-chris", "0003"),
    PROFILE("c-dewi", "0004"),
    PROFILE("c-eva", "0005"),
    PROFILE("c-finn", "0006"),
    INSURED("c-anna", "OLD-ANNA"),
    INSURED("c-bert", "OLD-BERT"),
    PADS_GOOD("c-dewi", "DEWI-1"),
    PADS_GOOD("c-eva", "EVA-1"),
    PADS_GOOD("c-eva", "EVA-2"),
    PADS_GOOD("c-eva", "EVA-3"),
    PADS_GOOD("c-finn", "FINN-1"),
    /* Chris: three missed payments in 90 days, and none paid in between. */
    {SCENE_EVENT,
     "2025-01-07T09:00:00+01:00",
     "c-chris",
     "billing",
     "payment.missed",
     "{\"amount\":64.5,\"invoice\":\"2025-01\"}",
     "Chris misses a payment of EUR 64.50",
     {NULL}},
    {SCENE_EVENT,
     "2025-02-04T09:00:00+01:00",
     "c-chris",
     "billing",
     "payment.missed",
     "{\"amount\":64.5,\"invoice\":\"2025-02\"}",
     "Chris misses a second one: still no reason to write",
     {NULL}},

    {SCENE_EVENT,
     "2025-03-04T09:00:00+01:00",
     "c-chris",
     "billing",
     "payment.missed",
     "{\"amount\":64.5,\"invoice\":\"2025-03\"}",
     "Chris misses a third payment within 90 days",
     {"decision missed-payment task task", "task missed-payment email billing"}},
    /* Anna and Bert buy heavier cars; both insurances stay on the old one. */
    {SCENE_EVENT,
     "2025-03-04T11:12:00+01:00",
     "c-anna",
     "vehicles",
     "vehicle.registered",
     "{\"vin\":\"VOLVO-ANNA\",\"make\":\"Volvo\",\"model\":\"XC60\",\"weight_kg\":1900}",
     "Anna registers a Volvo XC60 of 1,900 kg; her policy says 1,100 kg",
     {NULL}},
    {SCENE_EVENT,
     "2025-03-04T15:40:00+01:00",
     "c-bert",
     "vehicles",
     "vehicle.registered",
     "{\"vin\":\"SKODA-BERT\",\"make\":\"Skoda\",\"model\":\"Kodiaq\",\"weight_kg\":1750}",
     "Bert registers a Skoda Kodiaq of 1,750 kg; his policy says 1,100 kg",
     {NULL}},

    {SCENE_EVENT,
     "2025-03-05T16:20:00+01:00",
     "c-chris",
     "billing",
     "payment.received",
     "{\"amount\":193.5,\"invoice\":\"2025-03\"}",
     "Chris pays everything before the mail went out",
     {"decision missed-payment ended withdrawn", "withdrawal missed-payment"}},

    /* Dewi: late in the evening nobody calls. */
    PADS("c-dewi", "2025-03-05T22:40:00+01:00", "DEWI-1", "2.8",
         "Dewi's car reports brake pads of 2.8 mm, at twenty to eleven in the evening",
         "decision brake-pads hold quiet_hours"),
    {SCENE_TIME,
     "2025-03-06T08:00:00+01:00",
     NULL,
     NULL,
     NULL,
     NULL,
     "the next morning",
     {"decision brake-pads task task", "task brake-pads phone garage"}},
    {SCENE_ANSWER,
     "2025-03-06T08:25:00+01:00",
     "c-dewi",
     NULL,
     "booked",
     NULL,
     "calls Dewi, who books the garage",
     {"decision brake-pads ended outcome"}},

    {SCENE_EVENT,
     "2025-03-08T14:05:00+01:00",
     "c-bert",
     "crm",
     "policy.updated",
     "{\"vin\":\"SKODA-BERT\",\"weight_kg\":1750}",
     "Bert tells his insurer himself",
     {"decision new-car-uninsured ended withdrawn"}},

    /* Eva has three cars and one telephone. */
    PADS("c-eva", "2025-03-10T10:00:00+01:00", "EVA-1", "2.9", "Eva's first car: pads of 2.9 mm",
         "decision brake-pads task task", "task brake-pads phone garage"),
    {SCENE_ANSWER,
     "2025-03-10T10:20:00+01:00",
     "c-eva",
     NULL,
     "declined",
     NULL,
     "calls Eva, who wants no appointment",
     {"decision brake-pads ended outcome"}},
    PADS("c-eva", "2025-03-11T10:00:00+01:00", "EVA-2", "2.7", "Eva's second car: pads of 2.7 mm",
         "decision brake-pads task task", "task brake-pads phone garage"),
    {SCENE_ANSWER,
     "2025-03-11T10:30:00+01:00",
     "c-eva",
     NULL,
     "booked",
     NULL,
     "calls Eva, who books the garage",
     {"decision brake-pads ended outcome"}},
    PADS("c-eva", "2025-03-12T10:00:00+01:00", "EVA-3", "2.9",
         "Eva's third car: two calls in a week are enough, this one waits",
         "decision brake-pads hold cap"),

    {SCENE_EVENT,
     "2025-03-12T15:10:00+01:00",
     "c-finn",
     "crm",
     "consent.withdrawn",
     "{\"purpose\":\"service\"}",
     "Finn asks not to be contacted about service",
     {NULL}},
    PADS("c-finn", "2025-03-13T10:00:00+01:00", "FINN-1", "2.6",
         "Finn's car: pads of 2.6 mm, but he asked not to be contacted",
         "decision brake-pads silent no_consent", "decision brake-pads silent no_consent"),

    {SCENE_TIME,
     "2025-03-17T10:00:00+01:00",
     NULL,
     NULL,
     NULL,
     NULL,
     "a week after the first call Eva may be called again",
     {"decision brake-pads task task", "task brake-pads phone garage"}},
    {SCENE_ANSWER,
     "2025-03-17T10:15:00+01:00",
     "c-eva",
     NULL,
     "booked",
     NULL,
     "calls Eva, who books the garage for the third car",
     {"decision brake-pads ended outcome"}},

    /* Anna: a fortnight without a word to the insurer. */
    {SCENE_TIME,
     "2025-03-18T11:12:00+01:00",
     NULL,
     NULL,
     NULL,
     NULL,
     "a fortnight after Anna's new car, and no policy.updated",
     {"decision new-car-uninsured task task", "task new-car-uninsured phone insurance"}},
    {SCENE_ANSWER,
     "2025-03-18T11:40:00+01:00",
     "c-anna",
     NULL,
     "updated",
     NULL,
     "calls Anna, and her new car is insured",
     {"decision new-car-uninsured ended outcome"}},
};
const size_t story_scene_count = COUNT(story_scenes);

const char *story_name(const char *customer)
{
    for (size_t i = 0; i < story_person_count; i++)
        if (strcmp(story_people[i].customer, customer) == 0)
            return story_people[i].name;
    return customer;
}
