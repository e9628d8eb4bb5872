/* attent preview, on the rules that ship. */
#include <stdio.h>
#include <stdlib.h>

#include "core/file.h"
#include "processors/cli/cli.h"
#include "tests/support/scratch.h"
#include "tests/support/suite.h"

enum { ARGS_MAX = 16 };

/* What `attent preview ...` prints; the words end with NULL. */
static const char *preview(int wanted, const char *const *words)
{
    const char *path = scratch_path(scratch_dir(), "stdout"), *kept;
    char *argv[ARGS_MAX] = {(char *)(uintptr_t) "attent", (char *)(uintptr_t) "preview"};
    int argc = 2, code;
    char *text;

    for (; *words != NULL && argc < ARGS_MAX - 1; words++)
        argv[argc++] = (char *)(uintptr_t)*words;
    ck_assert_ptr_nonnull(freopen(path, "w", stdout));
    code = cli_run(argc, argv);
    fflush(stdout);
    text = scratch_read(path, NULL);
    ck_assert_ptr_nonnull(text);
    kept = scratch_keep(text);
    free(text);
    ck_assert_msg(code == wanted, "exit %d: %s", code, kept);
    return kept;
}
#define PREVIEW(code, ...)                                                                         \
    preview((code), (const char *const[]){"brake-pads", "rules", __VA_ARGS__, NULL})
#define HAS(text, part) ck_assert_msg(strstr((text), (part)) != NULL, "%s lacks %s", (text), (part))

START_TEST(without_files_the_schemas_examples_are_shown)
{
    const char *text = PREVIEW(0, "--channel", "email", "--language", "nl-BE");

    HAS(text, "channel   email, queue garage, action 3 of 3\n");
    HAS(text, "language  nl\n");
    HAS(text, "subject   Tijd voor nieuwe remblokken\n");
    HAS(text, "remblokken van 2,8 mm");
    HAS(text, "Overlijden in de familie: nee\n");
    text = PREVIEW(0, "--channel", "garage"); /* facts: false */
    HAS(text, "for the car YV1XZ16T5L2000001. They");
    ck_assert_ptr_null(strstr(text, "facts "));
}
END_TEST

START_TEST(an_event_and_a_customer_are_taken_as_they_are)
{
    const char *dir = scratch_dir(), *text, *html = scratch_path(dir, "mail.html");
    struct arena *arena = arena_new(0);
    struct str written;

    scratch_write(dir, "event.json",
                  "{\"type\":\"vehicle.telemetry\",\"data\":{\"vin\":\"V1\",\"pad_mm\":2}}");
    scratch_write(dir, "customer.json",
                  "{\"language\":\"nl\",\"garage_slot\":{\"V1\":\"2926-03-05T09:00:00Z\"},"
                  "\"garage_price\":{\"V1\":240.5}}");
    text = PREVIEW(0, "--event", scratch_path(dir, "event.json"), "--customer",
                   scratch_path(dir, "customer.json"), "--channel", "email", "--html", html);
    HAS(text, "De auto meldt remblokken van 2 mm. Prijsopgave van de garage in EUR: 240,5.\n");
    HAS(PREVIEW(0, "--event", scratch_path(dir, "event.json"), "--customer",
                scratch_path(dir, "customer.json"), "--channel", "phone"),
        "heeft plaats op 5 maart 2926, 09:00.");
    ck_assert_int_eq(file_read(html, arena, &written, NULL), ERR_NONE);
    ck_assert(str_contains(written, STR("<b>2 mm</b>")));
    arena_free(arena);
}
END_TEST

START_TEST(a_text_that_cannot_be_filled_is_a_finding)
{
    const char *dir = scratch_dir();

    scratch_write(dir, "event.json", "{\"vin\":\"V1\"}");
    HAS(PREVIEW(1, "--event", scratch_path(dir, "event.json")),
        "nothing goes out: reason: {{worn.data.pad_mm}}");
    PREVIEW(2, "--channel", "pigeon");
}
END_TEST

SUITE_MAIN("preview", without_files_the_schemas_examples_are_shown,
           an_event_and_a_customer_are_taken_as_they_are, a_text_that_cannot_be_filled_is_a_finding)
