#include "core/diag.h"
#include "tests/support/suite.h"

START_TEST(a_finding_shows_its_line_a_caret_and_help)
{
    struct diags diags = {0};
    struct buf out = {0};

    diag_add(&diags, DIAG_ERROR, (struct place){"x.yaml", 2, 5}, "unknown-field", "write vin",
             "no field \"%s\"", "vim");
    diag_print(&out, &diags.items[0], STR("when:\nif: vim\n"));
    ck_assert_str_eq(buf_text(&out), "x.yaml:2:5: error[unknown-field]: no field \"vim\"\n"
                                     "    if: vim\n"
                                     "        ^\n"
                                     "    help: write vin\n");
    buf_free(&out);
    diags_free(&diags);
}
END_TEST

START_TEST(findings_sort_by_file_line_and_column)
{
    struct diags diags = {0};

    diag_add(&diags, DIAG_ERROR, (struct place){"b", 1, 1}, "yaml", NULL, "4");
    diag_add(&diags, DIAG_WARNING, (struct place){"a", 9, 1}, "always-true", NULL, "3");
    diag_add(&diags, DIAG_ERROR, (struct place){"a", 2, 7}, "yaml", NULL, "2");
    diag_add(&diags, DIAG_ERROR, (struct place){"a", 2, 3}, "yaml", NULL, "1");
    diags_sort(&diags);
    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(diags.items[i].what[0], '1' + (int)i);
    ck_assert_uint_eq(diags.error_count, 3);
    diags_free(&diags);
}
END_TEST

SUITE_MAIN("diag", a_finding_shows_its_line_a_caret_and_help, findings_sort_by_file_line_and_column)
