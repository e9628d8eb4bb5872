#include "processors/cli/test_junit.h"

#include "core/file.h"

/* XML has no way to write most control characters. */
static void put_text(struct buf *out, struct str text)
{
    for (size_t i = 0; i < text.len; i++) {
        char c = text.data[i];

        switch (c) {
        case '&': buf_put_text(out, "&amp;"); break;
        case '<': buf_put_text(out, "&lt;"); break;
        case '>': buf_put_text(out, "&gt;"); break;
        case '"': buf_put_text(out, "&quot;"); break;
        case '\n': buf_put_text(out, "&#10;"); break;
        default: buf_put_char(out, (unsigned char)c < ' ' ? '?' : c); break;
        }
    }
}

static void put_attribute(struct buf *out, const char *name, struct str text)
{
    buf_put_format(out, " %s=\"", name);
    put_text(out, text);
    buf_put_char(out, '"');
}

static void put_result(struct buf *out, const char *element, struct str message, struct str text)
{
    buf_put_format(out, "      <%s", element);
    put_attribute(out, "message", message);
    buf_put_char(out, '>');
    put_text(out, text);
    buf_put_format(out, "</%s>\n", element);
}

static struct str first_line(struct str text)
{
    struct str line, rest;

    return str_trim(str_cut(text, '\n', &line, &rest) ? line : text);
}

void junit_case(struct junit *junit, struct str moment, const struct test_case *c,
                enum test_verdict verdict, struct str report)
{
    struct buf *out = &junit->cases;

    junit->tests++;
    buf_put_text(out, "    <testcase");
    put_attribute(out, "classname", moment);
    put_attribute(out, "name", c->name);
    buf_put_format(out, " line=\"%d\">\n", c->place.line);
    if (verdict == TEST_WRONG) {
        junit->errors++;
        put_result(out, "error", first_line(report), report);
    } else if (c->todo.len != 0) {
        junit->skipped++;
        put_result(out, "skipped", c->todo, STR_EMPTY);
    } else if (verdict == TEST_FAILED) {
        junit->failures++;
        put_result(out, "failure", first_line(report), report);
    }
    buf_put_text(out, "    </testcase>\n");
}

void junit_suite(struct junit *junit, const char *file, bool readable, struct str findings)
{
    if (!readable) {
        const struct test_case whole = {.name = STR("the file can be read"), .place = {NULL, 1, 1}};

        junit_case(junit, STR_EMPTY, &whole, TEST_WRONG, findings);
    }
    buf_put_text(&junit->suites, "  <testsuite");
    put_attribute(&junit->suites, "name", str_of(file));
    buf_put_format(&junit->suites,
                   " tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" skipped=\"%zu\">\n",
                   junit->tests, junit->failures, junit->errors, junit->skipped);
    buf_put(&junit->suites, buf_str(&junit->cases));
    buf_put_text(&junit->suites, "  </testsuite>\n");
    buf_clear(&junit->cases);
    junit->tests = junit->failures = junit->errors = junit->skipped = 0;
}

enum err_code junit_write(const struct junit *junit, const char *path, struct err *err)
{
    struct buf out = {0};
    enum err_code code;

    buf_put_text(&out,
                 "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"attent\">\n");
    buf_put(&out, buf_str(&junit->suites));
    buf_put_text(&out, "</testsuites>\n");
    code = file_write(path, buf_str(&out), err);
    buf_free(&out);
    return code;
}

void junit_free(struct junit *junit)
{
    buf_free(&junit->suites);
    buf_free(&junit->cases);
}
