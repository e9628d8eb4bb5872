/* The scenes in the order in which they happen.  Answers of the roles are in story.h's words. */
#include "processors/cli/story.h"

#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

const struct person story_people[] = {
    {"c-anna", "Anna"}, {"c-bert", "Bert"}, {"c-chris", "Chris"}, {"c-dewi", "Dewi"},
    {"c-eva", "Eva"},   {"c-finn", "Finn"}, {"c-gerda", "Gerda"}, {"c-hugo", "Hugo"},
    {"c-iris", "Iris"}, {"c-kim", "Kim"},
};
const size_t story_person_count = COUNT(story_people);

/* One line a scene: the braces are here. */
#define EVENT(when, id, topic_, type_, data_, words_, ...)                                         \
    {                                                                                              \
        .kind = SCENE_EVENT, .at = when, .customer = id, .topic = topic_, .type = type_,           \
        .data = data_, .words = words_, .answers = {__VA_ARGS__},                                  \
    }
#define QUIETLY(when, id, topic_, type_, data_)                                                    \
    {                                                                                              \
        .kind = SCENE_QUIET, .at = when, .customer = id, .topic = topic_, .type = type_,           \
        .data = data_,                                                                             \
    }
#define TIME(when, words_, ...)                                                                    \
    {                                                                                              \
        .kind = SCENE_TIME, .at = when, .words = words_, .answers = {__VA_ARGS__},                 \
    }
#define ANSWER(who, when, id, code, words_, ...)                                                   \
    {                                                                                              \
        .kind = SCENE_ANSWER, .at = when, .customer = id, .topic = who, .type = code,              \
        .words = words_, .answers = {__VA_ARGS__},                                                 \
    }
#define CENTRE NULL
/* A car that says its number and not whose it is. */
#define STRAY(when, id, vin, mm, words_)                                                           \
    {                                                                                              \
        .kind = SCENE_PARKED, .at = when, .customer = id, .topic = "vehicles",                     \
        .type = "vehicle.telemetry", .data = PADS_DATA(vin, mm), .words = words_,                  \
    }
#define CLAIM(when, id, vin, words_, ...)                                                          \
    {                                                                                              \
        .kind = SCENE_CLAIM, .at = when, .customer = id, .topic = "vehicles",                      \
        .type = "vehicle.registered",                                                              \
        .data = "{\"vin\":\"" vin "\",\"make\":\"Renault\",\"weight_kg\":1050}", .words = words_,  \
        .answers = {__VA_ARGS__},                                                                  \
    }

/* Who they are; the same system tells us about each. */
#define PROFILE(id, phone_tail, more)                                                              \
    QUIETLY(                                                                                       \
        "2025-01-06T08:00:00+01:00", id, "crm", "customer.updated",                                \
        "{\"country\":\"NL\",\"time_zone\":\"Europe/Amsterdam\",\"phone\":\"+3120000" phone_tail   \
        "\",\"email\":\"" id "@example.com\"" more "}")

/* The car on the policy, before a new one. */
#define INSURED(id, vin)                                                                           \
    QUIETLY("2025-01-06T08:01:00+01:00", id, "crm", "policy.updated",                              \
            "{\"vin\":\"" vin "\",\"weight_kg\":1100}")

#define PADS_DATA(vin, mm) "{\"vin\":\"" vin "\",\"pad_mm\":" mm ",\"odometer_km\":48211}"
/* Before a crossing there is a value on the other side of it. */
#define PADS_GOOD(id, vin)                                                                         \
    QUIETLY("2025-01-06T08:02:00+01:00", id, "vehicles", "vehicle.telemetry", PADS_DATA(vin, "3.4"))
#define PADS(when, id, vin, mm, words_, ...)                                                       \
    EVENT(when, id, "vehicles", "vehicle.telemetry", PADS_DATA(vin, mm), words_, __VA_ARGS__)

/* What worn pads bring: first the garage is asked, then the customer is called with its offer. */
#define ASKED  "decision brake-pads task task", "task brake-pads garage garage"
#define CALLED "decision brake-pads task task", "task brake-pads phone garage"

const struct scene story_scenes[] = {
    PROFILE("c-anna", "0001", ""),
    PROFILE("c-bert", "0002", ""),
    PROFILE("c-chris", "0003", ""),
    PROFILE("c-dewi", "0004", ""),
    PROFILE("c-eva", "0005", ""),
    PROFILE("c-finn", "0006", ""),
    PROFILE("c-gerda", "0007", ""),
    PROFILE("c-hugo", "0008", ",\"language\":\"nl\""),
    PROFILE("c-iris", "0009", ""),
    PROFILE("c-kim", "0010", ""),
    INSURED("c-anna", "OLD-ANNA"),
    INSURED("c-bert", "OLD-BERT"),
    INSURED("c-kim", "OLD-KIM"),
    PADS_GOOD("c-dewi", "DEWI-1"),
    PADS_GOOD("c-eva", "EVA-1"),
    PADS_GOOD("c-eva", "EVA-2"),
    PADS_GOOD("c-eva", "EVA-3"),
    PADS_GOOD("c-finn", "FINN-1"),
    QUIETLY("2025-01-06T08:03:00+01:00", "c-iris", "crm", "consent.given",
            "{\"purpose\":\"commercial\",\"channel\":\"chat\"}"),

    /* Chris: three missed payments in 90 days, and none paid in between. */
    EVENT("2025-01-07T09:00:00+01:00", "c-chris", "billing", "payment.missed",
          "{\"amount\":64.5,\"invoice\":\"2025-01\"}", "Chris misses a payment of EUR 64.50", NULL),
    EVENT("2025-02-04T09:00:00+01:00", "c-chris", "billing", "payment.missed",
          "{\"amount\":64.5,\"invoice\":\"2025-02\"}",
          "Chris misses a second one: still no reason to write", NULL),
    EVENT("2025-03-04T09:00:00+01:00", "c-chris", "billing", "payment.missed",
          "{\"amount\":64.5,\"invoice\":\"2025-03\"}",
          "Chris misses a third payment within 90 days", "decision missed-payment task task",
          "task missed-payment email billing"),

    /* Anna and Bert buy heavier cars; both insurances stay on the old one. */
    EVENT("2025-03-04T11:12:00+01:00", "c-anna", "vehicles", "vehicle.registered",
          "{\"vin\":\"VOLVO-ANNA\",\"make\":\"Volvo\",\"model\":\"XC60\",\"weight_kg\":1900}",
          "Anna registers a Volvo XC60 of 1,900 kg; her policy says 1,100 kg", NULL),
    EVENT("2025-03-04T15:40:00+01:00", "c-bert", "vehicles", "vehicle.registered",
          "{\"vin\":\"SKODA-BERT\",\"make\":\"Skoda\",\"model\":\"Kodiaq\",\"weight_kg\":1750}",
          "Bert registers a Skoda Kodiaq of 1,750 kg; his policy says 1,100 kg", NULL),
    EVENT("2025-03-05T16:20:00+01:00", "c-chris", "billing", "payment.received",
          "{\"amount\":193.5,\"invoice\":\"2025-03\"}",
          "Chris pays everything before the mail went out",
          "decision missed-payment ended withdrawn", "withdrawal missed-payment"),

    /* Dewi: late in the evening nobody is asked; in the morning the garage, then she. */
    PADS("2025-03-05T22:40:00+01:00", "c-dewi", "DEWI-1", "2.8",
         "Dewi's car reports brake pads of 2.8 mm, at twenty to eleven in the evening",
         "decision brake-pads hold quiet_hours"),
    TIME("2025-03-06T08:00:00+01:00", "the next morning", ASKED),
    EVENT("2025-03-06T08:10:00+01:00", "c-dewi", "vehicles", "garage.offered",
          "{\"vin\":\"DEWI-1\",\"garage\":\"Janssen\",\"at\":\"2025-03-07T10:00:00+01:00\","
          "\"price\":240}",
          "the garage has room for Dewi's car tomorrow at ten, for EUR 240", NULL),
    ANSWER("garage", "2025-03-06T08:10:00+01:00", "c-dewi", "offered", "answers the webhook",
           CALLED),
    ANSWER(CENTRE, "2025-03-06T08:25:00+01:00", "c-dewi", "booked",
           "calls Dewi, who takes the appointment", "decision brake-pads ended outcome"),

    EVENT("2025-03-08T14:05:00+01:00", "c-bert", "crm", "policy.updated",
          "{\"vin\":\"SKODA-BERT\",\"weight_kg\":1750}", "Bert tells his insurer himself",
          "decision new-car-uninsured ended withdrawn"),

    /* Eva has three cars and one telephone. */
    PADS("2025-03-10T10:00:00+01:00", "c-eva", "EVA-1", "2.9", "Eva's first car: pads of 2.9 mm",
         ASKED),
    ANSWER("garage", "2025-03-10T10:05:00+01:00", "c-eva", "no_room",
           "has no room at present, so we call without an offer", CALLED),
    ANSWER(CENTRE, "2025-03-10T10:20:00+01:00", "c-eva", "declined",
           "calls Eva, who wants no appointment", "decision brake-pads ended outcome"),
    PADS("2025-03-11T10:00:00+01:00", "c-eva", "EVA-2", "2.7", "Eva's second car: pads of 2.7 mm",
         ASKED),
    QUIETLY("2025-03-11T10:05:00+01:00", "c-eva", "vehicles", "garage.offered",
            "{\"vin\":\"EVA-2\",\"at\":\"2025-03-13T09:30:00+01:00\",\"price\":260}"),
    ANSWER("garage", "2025-03-11T10:05:00+01:00", "c-eva", "offered",
           "has room on Thursday at half past nine", CALLED),
    ANSWER(CENTRE, "2025-03-11T10:30:00+01:00", "c-eva", "booked",
           "calls Eva, who takes the appointment", "decision brake-pads ended outcome"),
    PADS("2025-03-12T10:00:00+01:00", "c-eva", "EVA-3", "2.9", "Eva's third car: pads of 2.9 mm",
         ASKED),
    ANSWER("garage", "2025-03-12T10:05:00+01:00", "c-eva", "no_room",
           "has no room; and two calls in a week are enough", "decision brake-pads hold cap"),

    EVENT("2025-03-12T15:10:00+01:00", "c-finn", "crm", "consent.withdrawn",
          "{\"purpose\":\"service\"}", "Finn asks not to be contacted about service", NULL),
    PADS("2025-03-13T10:00:00+01:00", "c-finn", "FINN-1", "2.6",
         "Finn's car: pads of 2.6 mm, but he asked not to be contacted",
         "decision brake-pads silent no_consent", "decision brake-pads silent no_consent",
         "decision brake-pads silent no_consent"),

    /* Iris: a death in the family brings one message, and silences everything commercial. */
    EVENT("2025-03-13T10:30:00+01:00", "c-iris", "crm", "family.deceased",
          "{\"relation\":\"parent\"}", "the father of Iris has died",
          "decision bereavement task task", "task bereavement email family"),
    EVENT("2025-03-13T20:10:00+01:00", "c-iris", "web", "web.page_viewed",
          "{\"url\":\"/quote\",\"session\":\"S-IRIS\",\"kind\":\"quote\"}",
          "in the evening Iris looks at a quote on the web site, and hesitates", NULL),
    TIME("2025-03-13T20:11:30+01:00", "any other day she would be offered a chat",
         "decision hesitating-visitor silent interlock"),

    /* Gerda: the alarm button, in the middle of the night. */
    EVENT("2025-03-14T02:13:00+01:00", "c-gerda", "devices", "alarm.pressed",
          "{\"device\":\"BUTTON-GERDA\",\"latitude\":52.25,\"longitude\":4.5}",
          "Gerda presses her alarm button, at thirteen past two in the night",
          "decision alarm-button task task", "task alarm-button alarm alarm"),
    TIME("2025-03-14T02:13:15+01:00", "15 seconds later nobody has answered",
         "decision alarm-button task task", "task alarm-button alarm alarm-backup"),
    ANSWER(CENTRE, "2025-03-14T02:13:22+01:00", "c-gerda", "answered",
           "the second alarm centre speaks to Gerda", "decision alarm-button ended outcome"),

    TIME("2025-03-17T10:05:00+01:00", "a week after the first call Eva may be called again",
         CALLED),
    ANSWER(CENTRE, "2025-03-17T10:15:00+01:00", "c-eva", "booked",
           "calls Eva, who books the garage for the third car",
           "decision brake-pads ended outcome"),

    /* Anna: a fortnight without a word to the insurer. */
    TIME("2025-03-18T11:12:00+01:00", "a fortnight after Anna's new car, and no policy.updated",
         "decision new-car-uninsured task task", "task new-car-uninsured phone insurance"),
    ANSWER(CENTRE, "2025-03-18T11:40:00+01:00", "c-anna", "updated",
           "calls Anna, and her new car is insured", "decision new-car-uninsured ended outcome"),

    /* Hugo, who speaks Dutch: the pills of the evening are still in the dispenser. */
    EVENT("2025-03-18T20:00:00+01:00", "c-hugo", "devices", "dispenser.opened",
          "{\"device\":\"PILLS-HUGO\",\"medication\":\"Metoprolol\"}",
          "Hugo takes his evening pills out of the dispenser", NULL),
    TIME("2025-03-19T20:30:00+01:00", "half an hour after his time the dispenser is still shut",
         "decision pill-dispenser task task", "task pill-dispenser device home-care"),
    TIME("2025-03-19T20:45:00+01:00", "it rang for a quarter of an hour",
         "decision pill-dispenser task task", "task pill-dispenser phone home-care"),
    EVENT("2025-03-19T20:52:00+01:00", "c-hugo", "devices", "dispenser.opened",
          "{\"device\":\"PILLS-HUGO\",\"medication\":\"Metoprolol\"}",
          "Hugo opens it, before anybody has called", "decision pill-dispenser ended withdrawn",
          "withdrawal pill-dispenser"),

    /* Kim: the car reports before anybody knows whose it is. */
    STRAY("2025-03-20T09:00:00+01:00", "c-kim", "KIM-1", "3.2",
          "a car that nobody knows reports brake pads of 3.2 mm; what it says waits"),
    STRAY("2025-03-20T18:00:00+01:00", "c-kim", "KIM-1", "2.7",
          "the same car, a long drive later: 2.7 mm, and still nobody to ask"),
    CLAIM("2025-03-21T10:00:00+01:00", "c-kim", "kim 1",
          "the dealer registers the car, which Kim has bought: both reports are Kim's now", ASKED),
    ANSWER("garage", "2025-03-21T10:05:00+01:00", "c-kim", "no_room",
           "has no room at present, so we call without an offer", CALLED),
    ANSWER(CENTRE, "2025-03-21T10:20:00+01:00", "c-kim", "booked",
           "calls Kim, who books the garage", "decision brake-pads ended outcome"),
};
const size_t story_scene_count = COUNT(story_scenes);

const char *story_name(const char *customer)
{
    for (size_t i = 0; i < story_person_count; i++)
        if (strcmp(story_people[i].customer, customer) == 0)
            return story_people[i].name;
    return customer;
}
